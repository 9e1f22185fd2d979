using FastMesh.Engine.DataPath;
using FastMesh.Engine.Wire;

namespace FastMesh.Fuzz.Targets;

/// <summary>A virtio header and a frame as a device hands them over: everything that rewrites, cuts, merges or answers frames.</summary>
internal sealed class DeviceFrame : FuzzTarget
{
    private readonly byte[] _output = new byte[4096], _headers = new byte[HeaderBytes.Capacity];

    // virtio header; Ethernet; IPv4 or IPv6; TCP, UDP, ICMPv6 or ARP
    public override IEnumerable<byte[]> Seeds =>
    [
        Convert.FromHexString("01013600020022001000" + "0200000000020200000000010800" + "45000034000940004006000A0A1401010A140201"
            + "14519C40000003E80000004D801001F40000000002040FB401010402" + "0102030405060708"),
        Convert.FromHexString("0105000003003600060002000000000202000000000186DD" + "6000000000101140" + "FD000000000000000000000000000001"
            + "FD000000000000000000000000000002" + "14519C4000100000" + "0102030405060708"),
        Convert.FromHexString("00000000000000000000" + "3333FF0000090A0B0C0D0E0F86DD" + "6000000000183AFF" + "FE800000000000000000000000000001"
            + "FF0200000000000000000001FF000009" + "8700000000000000" + "FD000000000000000000000000000009"),
        Convert.FromHexString("00000000000000000000" + "FFFFFFFFFFFF0A0B0C0D0E0F0806" + "0001080006040001" + "0A0B0C0D0E0F0A010001" + "0000000000000A010202"),
    ];

    public override void Run(Span<byte> input)
    {
        if (!VirtioHeader.TryRead(input, out VirtioHeader header))
            return;

        Span<byte> frame = input[VirtioHeader.Length..];
        Answer(frame);
        MssClamp.Apply(frame, 100);
        TimeToLive.Decrement(frame);
        var merger = new SuperpacketMerger(mergesTcp: true, mergesUdp: true);
        merger.Start(frame);
        merger.TryAppend(frame);
        merger.Finish(frame);
        Superpacket.FinishChecksum(header, frame);
        if (Superpacket.TryRead(header, frame, out Superpacket superpacket))
            Cut(superpacket, frame.Length);
    }

    private void Cut(Superpacket superpacket, int length)
    {
        superpacket.Limit(200);
        Superpacket apart = superpacket;
        int payload = 0;
        while (apart.TryNext(_headers, out int start, out int bytes))
        {
            if (start != superpacket.HeaderLength + payload)
                throw new InvalidOperationException($"a segment begins at {start} after {payload} bytes of payload");
            payload += bytes;
        }

        if (superpacket.HeaderLength + payload != length)
            throw new InvalidOperationException($"{payload} bytes of payload come out of a frame of {length}");
        while (superpacket.TryNext(out _, out _))
        {
        }
    }

    private void Answer(ReadOnlySpan<byte> frame)
    {
        IcmpError.Write(frame, IcmpProblem.TooBig, 576, default, _output);
        if (Fragmenter.TryCreate(frame, 590, out Fragmenter fragmenter))
        {
            while (fragmenter.Next(_output) > 0)
            {
            }
        }

        frame.CopyTo(_output);
        if (NeighbourReply.TryReadArp(frame, out _, out _))
            NeighbourReply.AnswerArp(_output.AsSpan(0, frame.Length));
        else if (NeighbourReply.TryReadSolicitation(frame, out _, out _) && NeighbourReply.AnswerSolicitation(_output.AsSpan(0, frame.Length)) > frame.Length)
            throw new InvalidOperationException("the answer is longer than the question");
    }
}
