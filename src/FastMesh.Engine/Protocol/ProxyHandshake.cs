using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// The conversation with a SOCKS or HTTP proxy before the meta protocol starts (tinc 1.0 reference, 4.10). Everything is sent in
/// one flight, <see cref="Request"/>; then <see cref="Handle"/> is fed until it is done or has failed.
/// </summary>
internal sealed class ProxyHandshake
{
    private static readonly SearchValues<char> s_hostCharacters =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");

    private readonly ProxySettings _proxy;
    private readonly List<byte> _reply = [];

    private ProxyHandshake(ProxySettings proxy, byte[] request) => (_proxy, Request) = (proxy, request);

    /// <summary>What to do after a call of <see cref="Handle"/>.</summary>
    public enum Result
    {
        /// <summary>More bytes are needed.</summary>
        More,

        /// <summary>The proxy has connected; what follows belongs to the peer.</summary>
        Done,

        /// <summary>The proxy refused or does not speak the protocol.</summary>
        Failed,
    }

    /// <summary>Whether a name that does not resolve here may be given to this kind of proxy.</summary>
    public static bool CanPassName(ProxyKind kind, string host) =>
        kind != ProxyKind.Socks4 && host.Length is > 0 and < 256
        && host.AsSpan().IndexOfAnyExcept(s_hostCharacters) < 0;

    /// <summary>Prepares the conversation; null if the proxy's protocol cannot express the target.</summary>
    /// <param name="proxy">A proxy of any kind but <see cref="ProxyKind.Exec"/>.</param>
    /// <param name="host">The target as configured; counts if it has no numeric address.</param>
    /// <param name="target">The numeric target, or "no address".</param>
    public static ProxyHandshake? TryCreate(ProxySettings proxy, HostPort host, Endpoint target)
    {
        (string name, string port) = target.IsSet
            ? (target.AddressText, target.Port.ToString(CultureInfo.InvariantCulture))
            : (host.Host, host.Port);
        if (proxy.Kind == ProxyKind.Http)
            return new(proxy, Encoding.ASCII.GetBytes($"CONNECT {name}:{port} HTTP/1.1\r\n\r\n"));
        if (!ushort.TryParse(port, NumberStyles.None, CultureInfo.InvariantCulture, out ushort number))
            return null;

        byte[]? request = proxy.Kind == ProxyKind.Socks5
            ? ComposeSocks5(proxy, name, target, number)
            : ComposeSocks4(proxy, name, target, number);
        return request is null ? null : new(proxy, request);
    }

    /// <summary>All that is sent to the proxy.</summary>
    public byte[] Request { get; }

    /// <summary>Takes bytes of the proxy's answer.</summary>
    /// <param name="bytes">What arrived; afterwards what was not the proxy's.</param>
    public Result Handle(ref ReadOnlySpan<byte> bytes)
    {
        Result result = Result.More;
        while (result == Result.More && !bytes.IsEmpty)
        {
            _reply.Add(bytes[0]);
            bytes = bytes[1..];
            result = _reply.Count > ProtocolLimits.MaxProxyReply ? Result.Failed : Check(CollectionsMarshal.AsSpan(_reply));
        }

        return result;
    }

    private Result Check(ReadOnlySpan<byte> reply) => _proxy.Kind switch
    {
        ProxyKind.Http => CheckHttp(reply),
        ProxyKind.Socks5 => CheckSocks5(reply),
        _ => reply.Length < 8 ? Result.More : reply[0] == 0 && reply[1] == 0x5a ? Result.Done : Result.Failed,
    };

    /// <summary>04 01 port address user 00, and for 4a with a name the address 0.0.0.1 and name 00.</summary>
    private static byte[]? ComposeSocks4(ProxySettings proxy, string name, Endpoint target, ushort port)
    {
        if (target.IsIPv6 || (!target.IsSet && proxy.Kind != ProxyKind.Socks4a))
            return null;
        uint address = target.IsSet ? target.IPv4 : 1;
        byte[] fixedPart =
        [
            4, 1, (byte)(port >> 8), (byte)port,
            (byte)(address >> 24), (byte)(address >> 16), (byte)(address >> 8), (byte)address,
        ];
        byte[] user = Encoding.Latin1.GetBytes(proxy.User ?? "");
        return target.IsSet ? [.. fixedPart, .. user, 0] : [.. fixedPart, .. user, 0, .. Encoding.Latin1.GetBytes(name), 0];
    }

    /// <summary>05 01 method, [01 user password], 05 01 00 kind address port: greeting, credentials and CONNECT in one flight.</summary>
    private static byte[]? ComposeSocks5(ProxySettings proxy, string name, Endpoint target, ushort port)
    {
        byte[] user = Encoding.Latin1.GetBytes(proxy.User ?? ""), password = Encoding.Latin1.GetBytes(proxy.Password ?? "");
        if (user.Length > 255 || password.Length > 255)
            return null;
        byte[] login = HasCredentials(proxy)
            ? [5, 1, 2, 1, (byte)user.Length, .. user, (byte)password.Length, .. password]
            : [5, 1, 0];

        Span<byte> number = stackalloc byte[16];
        BinaryPrimitives.WriteUInt128BigEndian(number, target.IsIPv4 ? (UInt128)target.IPv4 << 96 : target.IPv6);
        byte[] address = target.IsIPv4 ? [1, .. number[..4]]
            : target.IsIPv6 ? [4, .. number]
            : [3, (byte)name.Length, .. Encoding.Latin1.GetBytes(name)];
        return [.. login, 5, 1, 0, .. address, (byte)(port >> 8), (byte)port];
    }

    private static bool HasCredentials(ProxySettings proxy) => proxy.User is not null && proxy.Password is not null;

    /// <summary>05 method, [credential reply], 05 00 00 kind address port. tinc's 05 00 and RFC 1929's 01 00 are both taken as success.</summary>
    private Result CheckSocks5(ReadOnlySpan<byte> reply)
    {
        if (reply.Length < 2)
            return Result.More;
        if (reply[0] != 5 || reply[1] != (HasCredentials(_proxy) ? 2 : 0))
            return Result.Failed;
        reply = reply[2..];
        if (HasCredentials(_proxy))
        {
            if (reply.Length < 2)
                return Result.More;
            if (reply[0] is not (1 or 5) || reply[1] != 0)
                return Result.Failed;
            reply = reply[2..];
        }

        if (reply.Length < 5)
            return reply.Length > 1 && reply[1] != 0 ? Result.Failed : Result.More;
        if (reply[0] != 5 || reply[1] != 0)
            return Result.Failed;
        int length = reply[3] switch { 1 => 10, 3 => 7 + reply[4], 4 => 22, _ => 0 };
        return length == 0 ? Result.Failed : reply.Length < length ? Result.More : Result.Done;
    }

    private static Result CheckHttp(ReadOnlySpan<byte> reply)
    {
        ReadOnlySpan<byte> wanted = "HTTP/1.1 200"u8;
        if (!wanted.StartsWith(reply[..Math.Min(reply.Length, wanted.Length)]))
            return Result.Failed;
        return reply.EndsWith("\r\n\r\n"u8) ? Result.Done : Result.More;
    }
}
