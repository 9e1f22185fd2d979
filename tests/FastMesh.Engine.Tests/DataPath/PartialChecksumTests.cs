using System.Buffers.Binary;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>What comes of segments that crossed a FastMesh session with a checksum over the pseudo header only (design: partial checksums).</summary>
public sealed class PartialChecksumTests
{
    [Fact]
    public void A_lone_segment_is_handed_to_the_device_with_needs_csum_and_completes_to_the_right_sum()
    {
        (TestShard sender, TestShard receiver) = Pair();
        using (sender)
        using (receiver)
        {
            byte[] payload = TestFrames.Pattern(1500);
            sender.FromDevice(Super(payload, flags: 0x11)); // FIN: only the last segment has it, and that one is not merged
            Move(sender, receiver);
            Assert.Equal(2, receiver.Device.Output.Count);
            Captured last = receiver.Device.Output[1];
            Assert.Equal((true, SegmentationKind.None, 34, 16), (last.Header.NeedsChecksum, last.Header.Kind, last.Header.ChecksumStart, last.Header.ChecksumOffset));
            Assert.Equal(FieldOf(TestFrames.Tcp4("10.1.0.1", "10.2.0.1", 2000, payload.AsSpan(1000), 0x11)), Completed(last));
        }
    }

    [Fact]
    public void A_device_without_offloads_gets_complete_checksums()
    {
        (TestShard sender, TestShard receiver) = Pair();
        using TestShard plain = new(receiver.Table, merges: false);
        using (sender)
        using (receiver)
        {
            byte[] payload = TestFrames.Pattern(1000);
            sender.FromDevice(Super(payload, flags: 0x10, segment: 999));
            Move(sender, plain);
            Assert.Equal(TestFrames.Tcp4("10.1.0.1", "10.2.0.1", 1000, payload.AsSpan(0, 999), 0x10), plain.Device.Output[0].Bytes);
        }
    }

    [Fact]
    public void What_goes_on_to_a_tinc_1_0_node_is_completed_first()
    {
        TestNetwork a = new("a"), b = new("b"), c = new("c");
        a.Own(a.Self, "10.1.0.0/16");
        c.Own(c.Self, "10.3.0.0/16");
        Node toB = a.Neighbour("b", TestNetwork.FastMesh), toA = b.Neighbour("a", TestNetwork.FastMesh, "10.1.0.0/16");
        a.Behind("c", toB, TestNetwork.Usual | EdgeOptions.Indirect, "10.3.0.0/16");
        Node toC = b.Neighbour("c", "10.3.0.0/16"), fromB = c.Neighbour("b");
        c.Behind("a", fromB, TestNetwork.Usual | EdgeOptions.Indirect, "10.1.0.0/16");
        TestNetwork.Pair(TestNetwork.Speaking(NodeProtocol.FastMesh, toB), TestNetwork.Speaking(NodeProtocol.FastMesh, toA), DataSuite.Aes256Gcm);
        TestNetwork.Pair(toC, fromB, LegacySuite.Default);
        using TestShard left = new(a.Build()), middle = new(b.Build()), right = new(c.Build(), merges: false);

        byte[] payload = TestFrames.Pattern(2000);
        left.FromDevice(Super(payload, flags: 0x10, destination: "10.3.0.1"));
        Move(left, middle);
        Assert.NotEmpty(middle.Socket4.Output);
        Move(middle, right, fromB.Id);
        Assert.Equal(
            [TestFrames.Tcp4("10.1.0.1", "10.3.0.1", 1000, payload.AsSpan(0, 1000), 0x10), TestFrames.Tcp4("10.1.0.1", "10.3.0.1", 2000, payload.AsSpan(1000), 0x10, id: 2)],
            right.Device.Output.Select(packet => packet.Bytes));
    }

    [Theory]
    [InlineData(DataSuite.Aes256Gcm, true)]
    [InlineData(DataSuite.ChaCha20Poly1305, false)]
    public void Only_who_agreed_to_it_gets_partial_checksums(DataSuite suite, bool agreed)
    {
        Assert.Equal(agreed, Network(suite).B.Sealer!.TakesPartialChecksums);
        (TestShard sender, TestShard receiver) = Pair(suite);
        using (sender)
        using (receiver)
        {
            sender.FromDevice(Super(TestFrames.Pattern(1500), flags: 0x11));
            Move(sender, receiver);
            Assert.Equal(agreed, receiver.Device.Output[^1].Header.NeedsChecksum);
        }
    }

    [Theory]
    [InlineData(13)] // no IP header
    [InlineData(33)]
    [InlineData(40)] // no TCP header
    public void A_frame_that_has_no_room_for_a_checksum_is_refused(int length)
    {
        byte[] frame = TestFrames.Tcp4("10.1.0.1", "10.2.0.1", 1, [1, 2, 3], 0x10)[..length];
        Assert.False(PartialChecksum.TryDescribe(frame, out _));
        Assert.False(PartialChecksum.TryComplete(frame));
    }

    [Fact]
    public void A_fragment_or_another_protocol_has_none()
    {
        byte[] fragment = TestFrames.Udp4("10.1.0.1", "10.2.0.1", 100), icmp = TestFrames.Udp4("10.1.0.1", "10.2.0.1", 100);
        fragment[20] |= 0x20;
        icmp[23] = 1;
        Assert.False(PartialChecksum.TryDescribe(fragment, out _));
        Assert.False(PartialChecksum.TryDescribe(icmp, out _));
    }

    private static (Node B, ForwardingTable Left, ForwardingTable Right) Network(DataSuite suite)
    {
        TestNetwork a = new("a"), b = new("b");
        a.Own(a.Self, "10.1.0.0/16");
        b.Own(b.Self, "10.2.0.0/16");
        Node toB = a.Neighbour("b", "10.2.0.0/16"), toA = b.Neighbour("a", "10.1.0.0/16");
        TestNetwork.Pair(toB, toA, suite);
        return (toB, a.Build(), b.Build());
    }

    private static (TestShard Sender, TestShard Receiver) Pair(DataSuite suite = DataSuite.Aes256Gcm)
    {
        (_, ForwardingTable left, ForwardingTable right) = Network(suite);
        return (new TestShard(left), new TestShard(right));
    }

    private static Captured Super(byte[] payload, byte flags, ushort segment = 1000, string destination = "10.2.0.1") => new(
        TestFrames.Tcp4("10.1.0.1", destination, 1000, payload, flags),
        new VirtioHeader { NeedsChecksum = true, Kind = SegmentationKind.TcpIPv4, SegmentSize = segment, ChecksumStart = 34, ChecksumOffset = 16 });

    private static void Move(TestShard from, TestShard to, int sender = -1)
    {
        PeerRoute peer = sender < 0 ? to.Table.Peers[0] : to.Table.Find(sender)!;
        foreach (Captured train in from.Socket4.Output)
            to.Socket4.Input.Enqueue(train with { Endpoint = peer.Address });
        from.Socket4.Output.Clear();
        to.Work();
    }

    private static ushort FieldOf(byte[] frame) => BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(34 + 16));

    /// <summary>As the kernel does it: the complement of the sum from the transport header on (linux-dataplane reference, 1.5).</summary>
    private static ushort Completed(Captured packet)
    {
        uint sum = 0;
        byte[] bytes = [.. packet.Bytes, 0];
        for (int i = 34; i < packet.Bytes.Length; i += 2)
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes.AsSpan(i));
        while (sum > 0xffff)
            sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)~sum;
    }
}
