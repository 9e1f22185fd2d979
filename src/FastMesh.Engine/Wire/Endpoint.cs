using System.Buffers.Binary;
using System.Globalization;
using System.Net;

namespace FastMesh.Engine.Wire;

/// <summary>
/// An IP address and port as a value. IPv4-mapped IPv6 addresses are turned into IPv4 when read (tinc 1.0 reference, 4.1).
/// The default value is "no address".
/// </summary>
public readonly struct Endpoint : IEquatable<Endpoint>
{
    /// <summary>Bytes that hold any socket address this type writes.</summary>
    public const int MaxSockaddrLength = 28;

    private const ushort FamilyInet = 2;
    private const ushort FamilyInet6 = 10;

    private readonly UInt128 _address;
    private readonly uint _scope;
    private readonly ushort _port;
    private readonly ushort _family;

    private Endpoint(ushort family, UInt128 address, ushort port, uint scope)
    {
        (_family, _address, _port, _scope) = (family, address, port, scope);
        if (family == FamilyInet6 && address >> 32 == 0xffff)
            (_family, _address, _scope) = (FamilyInet, (uint)address, 0);
    }

    /// <summary>An IPv4 address (host byte order) and port.</summary>
    public static Endpoint FromIPv4(uint address, ushort port) => new(FamilyInet, address, port, 0);

    /// <summary>An IPv6 address (as a big-endian number), port and scope id.</summary>
    public static Endpoint FromIPv6(UInt128 address, ushort port, uint scope = 0) => new(FamilyInet6, address, port, scope);

    /// <summary>An address of the base library and a port.</summary>
    public static Endpoint From(IPAddress address, ushort port)
    {
        ArgumentNullException.ThrowIfNull(address);
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out int length);
        return length == 4
            ? FromIPv4(BinaryPrimitives.ReadUInt32BigEndian(bytes), port)
            : FromIPv6(BinaryPrimitives.ReadUInt128BigEndian(bytes), port, (uint)address.ScopeId);
    }

    /// <summary>Whether there is an address at all.</summary>
    public bool IsSet => _family != 0;

    /// <summary>Whether this is an IPv4 address.</summary>
    public bool IsIPv4 => _family == FamilyInet;

    /// <summary>Whether this is an IPv6 address.</summary>
    public bool IsIPv6 => _family == FamilyInet6;

    /// <summary>The UDP or TCP port.</summary>
    public ushort Port => _port;

    /// <summary>The IPv6 scope id, or 0.</summary>
    public uint Scope => _scope;

    /// <summary>The IPv4 address in host byte order; meaningful only if <see cref="IsIPv4"/>.</summary>
    public uint IPv4 => (uint)_address;

    /// <summary>The IPv6 address as a big-endian number; meaningful only if <see cref="IsIPv6"/>.</summary>
    public UInt128 IPv6 => _address;

    /// <summary>The same address with another port.</summary>
    public Endpoint WithPort(ushort port) => new(_family, _address, port, _scope);

    /// <summary>Whether this is an address of the own machine: 127.0.0.0/8 or ::1.</summary>
    public bool IsLoopback => IsIPv4 ? IPv4 >> 24 == 127 : IsIPv6 && IPv6 == UInt128.One;

    /// <summary>Whether both have the same address, whatever the ports.</summary>
    public bool SameAddress(Endpoint other) => _family == other._family && _address == other._address;

    /// <summary>Reads a Linux <c>sockaddr_in</c> or <c>sockaddr_in6</c>; anything else is "no address".</summary>
    public static Endpoint FromSockaddr(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 16)
            return default;

        ushort family = BitConverter.ToUInt16(bytes);
        ushort port = BinaryPrimitives.ReadUInt16BigEndian(bytes[2..]);
        return family switch
        {
            FamilyInet => FromIPv4(BinaryPrimitives.ReadUInt32BigEndian(bytes[4..]), port),
            FamilyInet6 when bytes.Length >= 28 =>
                FromIPv6(BinaryPrimitives.ReadUInt128BigEndian(bytes[8..]), port, BitConverter.ToUInt32(bytes[24..])),
            _ => default,
        };
    }

    /// <summary>Writes a Linux socket address and returns its length: 16 or 28 bytes, 0 for "no address".</summary>
    /// <param name="bytes">Room for <see cref="MaxSockaddrLength"/> bytes.</param>
    public int WriteSockaddr(Span<byte> bytes)
    {
        if (!IsSet)
            return 0;

        int length = IsIPv4 ? 16 : 28;
        bytes = bytes[..length];
        bytes.Clear();
        BitConverter.TryWriteBytes(bytes, _family);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], _port);
        if (IsIPv4)
        {
            BinaryPrimitives.WriteUInt32BigEndian(bytes[4..], (uint)_address);
        }
        else
        {
            BinaryPrimitives.WriteUInt128BigEndian(bytes[8..], _address);
            BitConverter.TryWriteBytes(bytes[24..], _scope);
        }

        return length;
    }

    /// <summary>Reads numeric address and port texts as they appear in ADD_EDGE and ANS_KEY; false if either is not numeric.</summary>
    public static bool TryParse(ReadOnlySpan<char> address, ReadOnlySpan<char> port, out Endpoint endpoint)
    {
        endpoint = default;
        if (!ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out ushort number)
            || !IPAddress.TryParse(address, out IPAddress? parsed)
            || (!address.Contains(':') && address.Count('.') != 3))
            return false;

        endpoint = From(parsed, number);
        return true;
    }

    /// <summary>The address alone in numeric form without scope, "unspec" if there is none.</summary>
    public string AddressText
    {
        get
        {
            if (!IsSet)
                return "unspec";

            Span<byte> bytes = stackalloc byte[16];
            BinaryPrimitives.WriteUInt128BigEndian(bytes, _address);
            return new IPAddress(IsIPv4 ? bytes[12..] : bytes).ToString();
        }
    }

    /// <summary>The form of tinc's log lines: <c>192.0.2.1 port 655</c>.</summary>
    public override string ToString() =>
        IsSet ? string.Create(CultureInfo.InvariantCulture, $"{AddressText} port {_port}") : "unknown port unknown";

    /// <inheritdoc/>
    public bool Equals(Endpoint other) =>
        _address == other._address && _port == other._port && _family == other._family && _scope == other._scope;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Endpoint other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_address, _port, _family);

    /// <summary>Value equality.</summary>
    public static bool operator ==(Endpoint left, Endpoint right) => left.Equals(right);

    /// <summary>Value inequality.</summary>
    public static bool operator !=(Endpoint left, Endpoint right) => !left.Equals(right);
}
