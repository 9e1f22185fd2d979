namespace FastMesh.Engine.Tests.DataPath;

/// <summary>What may be merged, told from what packets were built of rather than from their bytes (linux-dataplane reference, 1.6).</summary>
internal static class MergeModel
{
    /// <summary>Whether a packet may be part of a super-packet at all.</summary>
    public static bool IsMergeable(TestPacket packet) =>
        packet.Payload > 0 && packet.IpOptions.Length == 0 && packet.Extensions.Length == 0 && (packet.IPv6 || packet.FragmentField == 0)
        && (packet.Udp ? !packet.NoChecksum : packet.Reserved == 0 && packet.Flags is 0x10 or 0x18);

    /// <summary>Whether a packet may be the next of a super-packet.</summary>
    public static bool MayJoin(IReadOnlyList<TestPacket> group, TestPacket next)
    {
        TestPacket first = group[0], last = group[^1];
        bool joins = IsMergeable(first) && IsMergeable(next) && Common(first).AsSpan().SequenceEqual(Common(next))
            && last.Payload == first.Payload && next.Payload <= first.Payload
            && first.HeaderLength - first.IpOffset + group.Sum(packet => packet.Payload) + next.Payload <= 65535;
        if (next.Udp)
            joins &= group.Count < 64;
        else
            joins &= last.Flags == 0x10 && next.Sequence == unchecked(last.Sequence + (uint)last.Payload);
        return joins && (next.IPv6 || next.DontFragment || next.Id == (ushort)(last.Id + 1));
    }

    /// <summary>The fewest super-packets and single packets that a stream of one flow can become.</summary>
    public static int Groups(IEnumerable<TestPacket> stream)
    {
        int count = 0;
        List<TestPacket> group = [];
        foreach (TestPacket packet in stream)
        {
            if (count == 0 || !MayJoin(group, packet))
            {
                count++;
                group.Clear();
            }

            group.Add(packet);
        }

        return count;
    }

    /// <summary>The headers with everything alike that segmentation writes anew.</summary>
    private static byte[] Common(TestPacket packet) => (packet with { Payload = 0, Sequence = 0, Id = 0, Flags = (byte)(packet.Flags & ~8) }).Build();
}
