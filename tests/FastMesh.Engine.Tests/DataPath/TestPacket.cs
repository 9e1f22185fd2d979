using System.Buffers.Binary;
using FastMesh.Engine.Tests.Wire;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>Builds complete TCP and UDP frames field by field, the slow and obvious way: the oracle of the data path tests.</summary>
internal sealed record TestPacket
{
    [ThreadStatic]
    private static byte[]? t_stream;

    [ThreadStatic]
    private static int t_streamSeed;

    public bool IPv6 { get; init; }
    public bool Udp { get; init; }

    /// <summary>VLAN tags in front of the EtherType: type and tag, four bytes each.</summary>
    public byte[] Tags { get; init; } = [];

    public bool Vlan
    {
        init => Tags = value ? [0x81, 0, 0, 5] : [];
    }

    public int Payload { get; init; } = 100;
    public int PayloadSeed { get; init; }
    public int PayloadStart { get; init; }
    public uint Sequence { get; init; } = 1000;
    public uint Acknowledged { get; init; } = 77;
    public byte Flags { get; init; } = 0x10;
    public ushort Window { get; init; } = 500;
    public byte[] Options { get; init; } = [];

    /// <summary>The low four bits beside the TCP data offset: reserved, and AccECN's AE.</summary>
    public byte Reserved { get; init; }

    public ushort Urgent { get; init; }
    public ushort Id { get; init; } = 9;
    public byte Tos { get; init; }
    public byte Ttl { get; init; } = 64;
    public bool DontFragment { get; init; }
    public ushort FragmentField { get; init; }
    public byte[] IpOptions { get; init; } = [];

    /// <summary>IPv6 extension headers: type and body, whose first byte is overwritten by the next type and second by the length.</summary>
    public (byte Type, byte[] Body)[] Extensions { get; init; } = [];

    /// <summary>UDP over IPv4 sent without a checksum.</summary>
    public bool NoChecksum { get; init; }

    public ushort SourcePort { get; init; } = 5201;
    public uint FlowLabel { get; init; } = 0x12345;

    public int IpOffset => 14 + Tags.Length;
    public int Transport => IpOffset + (IPv6 ? 40 + Extensions.Sum(extension => extension.Body.Length) : 20 + IpOptions.Length);
    public int HeaderLength => Transport + (Udp ? 8 : 20 + Options.Length);

    public byte[] Build()
    {
        byte[] frame = new byte[HeaderLength + Payload];
        Convert.FromHexString("020000000002020000000001").CopyTo(frame, 0);
        Tags.CopyTo(frame, 12);
        Put16(frame, IpOffset - 2, IPv6 ? 0x86dd : 0x0800);
        PutIp(frame);
        PutTransport(frame);
        return frame;
    }

    /// <summary>What the headers and payload of segment <paramref name="index"/> of a super-packet must be (linux-dataplane reference, 1.5).</summary>
    public TestPacket Segment(int index, int size)
    {
        int start = index * size, payload = Math.Min(size, Payload - start);
        byte flags = Flags;
        if (start + payload < Payload)
            flags &= 0xf6; // FIN and PSH only on the last
        if (index > 0)
            flags &= 0x7f; // CWR only on the first
        return this with
        {
            Payload = payload,
            PayloadStart = start,
            Sequence = unchecked(Sequence + (uint)start),
            Flags = flags,
            Id = unchecked((ushort)(Id + index)),
        };
    }

    /// <summary>The pseudo header's sum, not complemented.</summary>
    public ushort Seed(ReadOnlySpan<byte> frame)
    {
        int length = frame.Length - Transport;
        byte[] tail = [0, Protocol, (byte)(length >> 8), (byte)length];
        ReadOnlySpan<byte> addresses = IPv6 ? frame.Slice(IpOffset + 8, 32) : frame.Slice(IpOffset + 12, 8);
        return ChecksumTests.Naive([.. addresses, .. tail]);
    }

    private byte Protocol => (byte)(Udp ? 17 : 6);

    private void PutIp(byte[] frame)
    {
        Span<byte> ip = frame.AsSpan(IpOffset);
        if (IPv6)
        {
            BinaryPrimitives.WriteUInt32BigEndian(ip, 0x60000000u | ((uint)Tos << 20) | FlowLabel);
            Put16(ip, 4, ip.Length - 40);
            ip[7] = Ttl;
            (ip[8], ip[23], ip[24], ip[39]) = (0xfd, 1, 0xfd, 2);
            int next = 6, at = 40;
            foreach ((byte type, byte[] body) in Extensions)
            {
                ip[next] = type;
                body.CopyTo(ip[at..]);
                ip[at + 1] = (byte)((body.Length / 8) - 1);
                (next, at) = (at, at + body.Length);
            }

            ip[next] = Protocol;
            return;
        }

        (ip[0], ip[1]) = ((byte)(0x45 + (IpOptions.Length / 4)), Tos);
        Put16(ip, 2, ip.Length);
        Put16(ip, 4, Id);
        Put16(ip, 6, DontFragment ? 0x4000 : FragmentField);
        (ip[8], ip[9]) = (Ttl, Protocol);
        Convert.FromHexString("0a1401010a140201").CopyTo(ip[12..]);
        IpOptions.CopyTo(ip[20..]);
        Put16(ip, 10, (ushort)~ChecksumTests.Naive(ip[..(20 + IpOptions.Length)]));
    }

    private void PutTransport(byte[] frame)
    {
        PayloadBytes().CopyTo(frame.AsSpan(HeaderLength));
        Span<byte> transport = frame.AsSpan(Transport);
        Put16(transport, 0, SourcePort);
        Put16(transport, 2, 40000);
        if (Udp)
        {
            Put16(transport, 4, transport.Length);
        }
        else
        {
            BinaryPrimitives.WriteUInt32BigEndian(transport[4..], Sequence);
            BinaryPrimitives.WriteUInt32BigEndian(transport[8..], Acknowledged);
            (transport[12], transport[13]) = ((byte)(((20 + Options.Length) / 4 << 4) | Reserved), Flags);
            Put16(transport, 14, Window);
            Put16(transport, 18, Urgent);
            Options.CopyTo(transport[20..]);
        }

        if (NoChecksum)
            return;
        ushort seed = Seed(frame);
        ushort sum = (ushort)~ChecksumTests.Naive([(byte)(seed >> 8), (byte)seed, .. transport]);
        Put16(transport, Udp ? 6 : 16, Udp && sum == 0 ? 0xffff : sum);
    }

    /// <summary>The packet's part of the endless random stream of that seed; as the segments of one packet share it, the last one is kept.</summary>
    private ReadOnlySpan<byte> PayloadBytes()
    {
        if (t_stream is null || t_streamSeed != PayloadSeed || t_stream.Length < PayloadStart + Payload)
        {
            (t_streamSeed, t_stream) = (PayloadSeed, new byte[PayloadStart + Payload]);
            new Random(PayloadSeed).NextBytes(t_stream);
        }

        return t_stream.AsSpan(PayloadStart, Payload);
    }

    private static void Put16(Span<byte> bytes, int offset, int value) => BinaryPrimitives.WriteUInt16BigEndian(bytes[offset..], (ushort)value);
}
