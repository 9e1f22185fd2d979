using System.Buffers.Binary;
using System.Net;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>Frames written byte by byte from the RFCs, with a checksum of their own.</summary>
internal static class TestFrames
{
    public static byte[] Udp4(string from, string to, int payload, int tos = 0, int ttl = 64, bool dontFragment = true, ushort id = 1)
    {
        byte[] data = Pattern(payload);
        byte[] frame = IPv4(from, to, 17, 8 + payload, tos, ttl, dontFragment, id);
        Span<byte> udp = frame.AsSpan(34);
        BinaryPrimitives.WriteUInt16BigEndian(udp, 5000);
        BinaryPrimitives.WriteUInt16BigEndian(udp[2..], 6000);
        BinaryPrimitives.WriteUInt16BigEndian(udp[4..], (ushort)(8 + payload));
        data.CopyTo(udp[8..]);
        ushort sum = TransportChecksum(frame.AsSpan(26, 8), 17, udp);
        BinaryPrimitives.WriteUInt16BigEndian(udp[6..], sum == 0 ? (ushort)0xffff : sum);
        return frame;
    }

    public static byte[] Tcp4(string from, string to, uint sequence, ReadOnlySpan<byte> payload, byte flags = 0x10, ushort id = 1, ushort port = 5001)
    {
        byte[] frame = IPv4(from, to, 6, 20 + payload.Length, 0, 64, true, id);
        WriteTcp(frame.AsSpan(34), sequence, payload, flags, port);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(50), TransportChecksum(frame.AsSpan(26, 8), 6, frame.AsSpan(34)));
        return frame;
    }

    public static byte[] Tcp6(string from, string to, uint sequence, ReadOnlySpan<byte> payload, byte flags = 0x10)
    {
        byte[] frame = IPv6(from, to, 6, 20 + payload.Length);
        WriteTcp(frame.AsSpan(54), sequence, payload, flags, 5001);
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(70), TransportChecksum(frame.AsSpan(22, 32), 6, frame.AsSpan(54)));
        return frame;
    }

    public static byte[] IPv4(string from, string to, byte protocol, int payload, int tos = 0, int ttl = 64, bool dontFragment = true, ushort id = 1)
    {
        byte[] frame = new byte[34 + payload];
        frame[12] = 0x08;
        Span<byte> ip = frame.AsSpan(14);
        (ip[0], ip[1], ip[6], ip[8], ip[9]) = (0x45, (byte)tos, (byte)(dontFragment ? 0x40 : 0), (byte)ttl, protocol);
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(20 + payload));
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], id);
        IPAddress.Parse(from).TryWriteBytes(ip[12..], out _);
        IPAddress.Parse(to).TryWriteBytes(ip[16..], out _);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], (ushort)~Sum(ip[..20]));
        return frame;
    }

    public static byte[] IPv6(string from, string to, byte nextHeader, int payload, int trafficClass = 0)
    {
        byte[] frame = new byte[54 + payload];
        (frame[12], frame[13]) = (0x86, 0xdd);
        Span<byte> ip = frame.AsSpan(14);
        (ip[0], ip[1], ip[6], ip[7]) = ((byte)(0x60 | (trafficClass >> 4)), (byte)(trafficClass << 4), nextHeader, 64);
        BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)payload);
        IPAddress.Parse(from).TryWriteBytes(ip[8..], out _);
        IPAddress.Parse(to).TryWriteBytes(ip[24..], out _);
        return frame;
    }

    /// <summary>A frame of any type with given Ethernet addresses.</summary>
    public static byte[] Ethernet(ulong destination, ulong source, ushort type, int length)
    {
        byte[] frame = new byte[length];
        new FastMesh.Engine.Wire.MacAddress(destination).Write(frame);
        new FastMesh.Engine.Wire.MacAddress(source).Write(frame.AsSpan(6));
        BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(12), type);
        return frame;
    }

    /// <summary>The same frame between Ethernet addresses.</summary>
    public static byte[] Between(this byte[] frame, ulong source, ulong destination)
    {
        new FastMesh.Engine.Wire.MacAddress(destination).Write(frame);
        new FastMesh.Engine.Wire.MacAddress(source).Write(frame.AsSpan(6));
        return frame;
    }

    public static byte[] Pattern(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)(i * 7))];

    /// <summary>The checksum of a TCP, UDP or ICMPv6 message whose checksum field is zero.</summary>
    public static ushort TransportChecksum(ReadOnlySpan<byte> addresses, byte protocol, ReadOnlySpan<byte> message) =>
        (ushort)~Fold(Add(addresses) + protocol + (uint)message.Length + Add(message));

    /// <summary>The same for the pseudo header alone.</summary>
    public static ushort PseudoHeaderChecksum(ReadOnlySpan<byte> addresses, byte protocol, int length) =>
        (ushort)~Fold(Add(addresses) + protocol + (uint)length);

    public static ushort Sum(ReadOnlySpan<byte> bytes) => Fold(Add(bytes));

    private static ushort Fold(uint sum)
    {
        while (sum >> 16 != 0)
            sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)sum;
    }

    private static uint Add(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (int i = 0; i < bytes.Length; i++)
            sum += (uint)(bytes[i] << (i % 2 == 0 ? 8 : 0));
        return sum;
    }

    private static void WriteTcp(Span<byte> tcp, uint sequence, ReadOnlySpan<byte> payload, byte flags, ushort port)
    {
        BinaryPrimitives.WriteUInt16BigEndian(tcp, 40000);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[2..], port);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[4..], sequence);
        BinaryPrimitives.WriteUInt32BigEndian(tcp[8..], 77);
        (tcp[12], tcp[13]) = (0x50, flags);
        BinaryPrimitives.WriteUInt16BigEndian(tcp[14..], 500);
        payload.CopyTo(tcp[20..]);
    }
}
