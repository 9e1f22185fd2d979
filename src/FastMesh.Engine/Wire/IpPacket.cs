using System.Buffers.Binary;

namespace FastMesh.Engine.Wire;

/// <summary>IP protocol numbers that the data path looks at.</summary>
public static class IpProtocol
{
    /// <summary>ICMP of IPv4.</summary>
    public const byte Icmp = 1;

    /// <summary>TCP.</summary>
    public const byte Tcp = 6;

    /// <summary>UDP.</summary>
    public const byte Udp = 17;

    /// <summary>ICMPv6.</summary>
    public const byte IcmpV6 = 58;
}

/// <summary>
/// Read-only view of an IPv4 or IPv6 packet whose fixed header is complete. The lengths it states are not checked against the bytes
/// there are; <see cref="IsComplete"/> tells. Owns nothing.
/// </summary>
public readonly ref struct IpPacket
{
    // IPv4:  0  version and header length   1      IPv6:  0  version, traffic class, flow label   4
    //        1  type of service             1             4  payload length                       2
    //        2  total length                2             6  next header                          1
    //        4  identification              2             7  hop limit                            1
    //        6  flags and fragment offset   2             8  source                              16
    //        8  time to live                1            24  destination                         16
    //        9  protocol                    1
    //       10  header checksum             2
    //       12  source                      4
    //       16  destination                 4

    /// <summary>Bytes of an IPv4 header without options.</summary>
    public const int MinIPv4Length = 20;

    /// <summary>Bytes of the fixed IPv6 header.</summary>
    public const int IPv6HeaderLength = 40;

    /// <summary>The don't-fragment bit in <see cref="FragmentField"/>.</summary>
    public const ushort DontFragment = 0x4000;

    /// <summary>The more-fragments bit in <see cref="FragmentField"/>.</summary>
    public const ushort MoreFragments = 0x2000;

    private readonly ReadOnlySpan<byte> _bytes;

    private IpPacket(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>Reads a packet; false if it is neither version 4 nor 6 or its header, options included, is not complete.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out IpPacket packet)
    {
        packet = default;
        if (bytes.Length < MinIPv4Length)
            return false;

        packet = new(bytes);
        return (bytes[0] >> 4) switch
        {
            4 => packet.HeaderLength >= MinIPv4Length && bytes.Length >= packet.HeaderLength,
            6 => bytes.Length >= IPv6HeaderLength,
            _ => false,
        };
    }

    /// <summary>Whether this is IPv4, else it is IPv6.</summary>
    public bool IsIPv4 => _bytes[0] >> 4 == 4;

    /// <summary>Bytes of the header: with its options for IPv4, the fixed header for IPv6.</summary>
    public int HeaderLength => IsIPv4 ? (_bytes[0] & 0xf) * 4 : IPv6HeaderLength;

    /// <summary>Bytes of the whole packet as the header states them.</summary>
    public int StatedLength => IsIPv4 ? Word(2) : IPv6HeaderLength + Word(4);

    /// <summary>Whether exactly the stated bytes are there.</summary>
    public bool IsComplete => StatedLength == _bytes.Length;

    /// <summary>Type of service or traffic class.</summary>
    public byte TrafficClass => IsIPv4 ? _bytes[1] : (byte)(Word(0) >> 4);

    /// <summary>Protocol, for IPv6 the next header directly behind the fixed one.</summary>
    public byte Protocol => _bytes[IsIPv4 ? 9 : 6];

    /// <summary>Time to live or hop limit.</summary>
    public byte TimeToLive => _bytes[IsIPv4 ? 8 : 7];

    /// <summary>IPv4 flags and fragment offset; 0 for IPv6.</summary>
    public ushort FragmentField => IsIPv4 ? Word(6) : (ushort)0;

    /// <summary>Whether this is an IPv4 fragment, the first included.</summary>
    public bool IsFragment => (FragmentField & ~DontFragment) != 0;

    /// <summary>IPv4 source in host byte order; meaningful only if <see cref="IsIPv4"/>.</summary>
    public uint IPv4Source => BinaryPrimitives.ReadUInt32BigEndian(_bytes[12..]);

    /// <summary>IPv4 destination in host byte order; meaningful only if <see cref="IsIPv4"/>.</summary>
    public uint IPv4Destination => BinaryPrimitives.ReadUInt32BigEndian(_bytes[16..]);

    /// <summary>IPv6 source as a big-endian number; meaningful only if not <see cref="IsIPv4"/>.</summary>
    public UInt128 IPv6Source => BinaryPrimitives.ReadUInt128BigEndian(_bytes[8..]);

    /// <summary>IPv6 destination as a big-endian number; meaningful only if not <see cref="IsIPv4"/>.</summary>
    public UInt128 IPv6Destination => BinaryPrimitives.ReadUInt128BigEndian(_bytes[24..]);

    /// <summary>Source and destination as they stand behind each other: 8 or 32 bytes, for the pseudo header.</summary>
    public ReadOnlySpan<byte> Addresses => IsIPv4 ? _bytes.Slice(12, 8) : _bytes.Slice(8, 32);

    /// <summary>What follows the header.</summary>
    public ReadOnlySpan<byte> Payload => _bytes[HeaderLength..];

    private ushort Word(int offset) => BinaryPrimitives.ReadUInt16BigEndian(_bytes[offset..]);
}
