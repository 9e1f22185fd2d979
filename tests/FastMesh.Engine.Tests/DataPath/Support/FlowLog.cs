using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>
/// What was sent, flow by flow, to hold against what a device got: every packet unchanged and in the order of its flow, super-packets cut up slowly.
/// Flows may overtake each other.
/// </summary>
internal sealed class FlowLog
{
    private readonly Dictionary<int, Queue<Sent>> _flows = [];

    /// <summary>Packets that have not come yet.</summary>
    public int Missing => _flows.Values.Sum(flow => flow.Count);

    /// <summary>Notes a packet that must come next in its flow.</summary>
    /// <param name="flow">Any number.</param>
    /// <param name="frame">Its bytes.</param>
    /// <param name="packet">What it was built of; null: it may not be merged.</param>
    public void Add(int flow, byte[] frame, TestPacket? packet) =>
        (_flows.TryGetValue(flow, out Queue<Sent>? queue) ? queue : _flows[flow] = new()).Enqueue(new(SlowCut.WithoutUselessId(frame), packet));

    /// <summary>Checks what was written to a device.</summary>
    /// <param name="written">Frames and super-packets.</param>
    /// <param name="ethernet">Whether MAC addresses count.</param>
    /// <param name="mayLose">Whether packets may be missing.</param>
    public void Check(IEnumerable<Captured> written, bool ethernet = true, bool mayLose = false)
    {
        foreach (Captured packet in written)
        {
            List<TestPacket> group = [];
            foreach (byte[] segment in SlowCut.Apply(packet.Bytes, packet.Header))
            {
                TestPacket? sent = Take(SlowCut.WithoutUselessId(segment), ethernet, mayLose);
                if (packet.Header.Kind == SegmentationKind.None)
                    continue;
                Assert.True(sent is not null && MergeModel.IsMergeable(sent), $"merged: {Convert.ToHexString(segment)}");
                Assert.True(group.Count == 0 || MergeModel.MayJoin(group, sent), $"{sent} after {(group.Count > 0 ? group[^1] : null)}");
                group.Add(sent);
            }
        }
    }

    private TestPacket? Take(byte[] frame, bool ethernet, bool mayLose)
    {
        int from = ethernet ? 0 : 12;
        foreach (Queue<Sent> flow in _flows.Values)
        {
            int skip = flow.TakeWhile(sent => !sent.Frame.AsSpan(from).SequenceEqual(frame.AsSpan(from))).Take(mayLose ? int.MaxValue : 1).Count();
            if (skip == flow.Count || (skip > 0 && !mayLose))
                continue;
            for (; skip > 0; skip--)
                flow.Dequeue();
            return flow.Dequeue().Packet;
        }

        Assert.Fail($"not sent, or not in this order: {Convert.ToHexString(frame)}, next of the flows: " +
            string.Join(", ", _flows.Values.Where(flow => flow.Count > 0).Select(flow => Convert.ToHexString(flow.Peek().Frame))));
        return null;
    }

    private readonly record struct Sent(byte[] Frame, TestPacket? Packet);
}
