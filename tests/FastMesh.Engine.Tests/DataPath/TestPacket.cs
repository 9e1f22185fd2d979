using System.Buffers.Binary;
using FastMesh.Engine.Tests.Wire;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>Builds complete TCP and UDP frames field by field, the slow and obvious way: the oracle of the data path tests.</summary>
internal sealed record TestPacket
{
    public bool IPv6 { get; init; }
    public bool Udp { get; init; }
    public bool Vlan { get; init; }

    /// <summary>In front of the tag of <see cref="Vlan"/>, as hex digits.</summary>
    public string OuterTag { get; init; } = "";
    public int Payload { get; init; } = 100;
    public int PayloadSeed { get; init; }
    public int PayloadStart { get; init; }
    public uint Sequence { get; init; } = 1000;
    public uint Acknowledged { get; init; } = 77;
    public byte Flags { get; init; } = 0x10;
    public ushort Window { get; init; } = 500;
    public byte[] Options { get; init; } = [];
    public ushort Id { get; init; } = 9;
    public byte Tos { get; init; }
    public byte Ttl { get; init; } = 64;
    public bool DontFragment { get; init; }
    public ushort FragmentField { get; init; }
    public byte[] IpOptions { get; init; } = [];
    public ushort SourcePort { get; init; } = 5201;
    public uint FlowLabel { get; init; } = 0x12345;

    public int IpOffset => (Vlan ? 18 : 14) + (OuterTag.Length / 2);
    public int Transport => IpOffset + (IPv6 ? 40 : 20 + IpOptions.Length);
    public int HeaderLength => Transport + (Udp ? 8 : 20 + Options.Length);

    public byte[] Build()
    {
        byte[] frame = new byte[HeaderLength + Payload];
        Convert.FromHexString("020000000002020000000001").CopyTo(frame, 0);
        Convert.FromHexString(OuterTag + (Vlan ? "81000005" : "")).CopyTo(frame, 12);
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
        byte[] tail = [0, (byte)(Udp ? 17 : 6), (byte)(length >> 8), (byte)length];
        ReadOnlySpan<byte> addresses = IPv6 ? frame.Slice(IpOffset + 8, 32) : frame.Slice(IpOffset + 12, 8);
        return ChecksumTests.Naive([.. addresses, .. tail]);
    }

    private void PutIp(byte[] frame)
    {
        Span<byte> ip = frame.AsSpan(IpOffset);
        if (IPv6)
        {
            BinaryPrimitives.WriteUInt32BigEndian(ip, 0x60000000u | ((uint)Tos << 20) | FlowLabel);
            Put16(ip, 4, ip.Length - 40);
            (ip[6], ip[7]) = ((byte)(Udp ? 17 : 6), Ttl);
            (ip[8], ip[23], ip[24], ip[39]) = (0xfd, 1, 0xfd, 2);
            return;
        }

        (ip[0], ip[1]) = ((byte)(0x45 + (IpOptions.Length / 4)), Tos);
        Put16(ip, 2, ip.Length);
        Put16(ip, 4, Id);
        Put16(ip, 6, DontFragment ? 0x4000 : FragmentField);
        (ip[8], ip[9]) = (Ttl, (byte)(Udp ? 17 : 6));
        Convert.FromHexString("0a1401010a140201").CopyTo(ip[12..]);
        IpOptions.CopyTo(ip[20..]);
        Put16(ip, 10, (ushort)~ChecksumTests.Naive(ip[..(20 + IpOptions.Length)]));
    }

    private void PutTransport(byte[] frame)
    {
        byte[] payload = new byte[PayloadStart + Payload];
        new Random(PayloadSeed).NextBytes(payload);
        payload.AsSpan(PayloadStart).CopyTo(frame.AsSpan(HeaderLength));
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
            (transport[12], transport[13]) = ((byte)((20 + Options.Length) / 4 << 4), Flags);
            Put16(transport, 14, Window);
            Options.CopyTo(transport[20..]);
        }

        ushort seed = Seed(frame);
        ushort sum = (ushort)~ChecksumTests.Naive([(byte)(seed >> 8), (byte)seed, .. transport]);
        Put16(transport, Udp ? 6 : 16, Udp && sum == 0 ? 0xffff : sum);
    }

    private static void Put16(Span<byte> bytes, int offset, int value) => BinaryPrimitives.WriteUInt16BigEndian(bytes[offset..], (ushort)value);
}
