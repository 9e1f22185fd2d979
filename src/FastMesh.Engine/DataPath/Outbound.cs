using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

// Device to network, in packet order. Everything runs on the shard's thread.
//
//   1  Learn    the source address (switch mode)            new ones are reported
//   2  Complete the checksum the kernel left unfinished     super-packets: while cutting
//   3  Decide   once per super-packet                       FrameRouter
//   4  Cut      to what the path carries                    Superpacket; payloads stay where they are
//   5  Seal     all segments together                       TrainWriter; other frames one by one by way of Forwarder

/// <summary>Takes packets that were read from the device apart and forwards them.</summary>
internal sealed class Outbound(ShardState state, Forwarder forwarder, PeerSender sender, ShardMail mail)
{
    private readonly RecentAddresses _reported = new();

    /// <summary>Handles all packets of a batch. Their memory is free afterwards.</summary>
    public void Process(PacketBatch batch)
    {
        PeerRoute self = state.Table.Self;
        for (int i = 0; i < batch.Count; i++)
        {
            ref Packet packet = ref batch[i];
            state.Counters.Add(ShardCounter.DevicePacketsIn, 1);
            state.Counters.Add(ShardCounter.DeviceBytesIn, packet.Length);
            if (state.Table.Options.Mode == RoutingMode.Switch)
                Learn(batch.Bytes(i));
            Span<byte> withRoom = batch.Bytes(packet.Offset - Frame.Room, Frame.Room + packet.Length);
            if (packet.Header.Kind != SegmentationKind.None)
                Cut(withRoom, packet.Header, self);
            else if (Superpacket.FinishChecksum(packet.Header, withRoom[Frame.Room..]))
                forwarder.Route(new Frame(withRoom), self, byTcp: false);
            else
                state.Counters.Drop(DropReason.BadOffload);
        }
    }

    /// <summary>Notes that an Ethernet address lives on our side; unknown ones are reported, each once a second.</summary>
    private void Learn(ReadOnlySpan<byte> bytes)
    {
        if (!EthernetFrame.TryRead(bytes, out EthernetFrame frame))
            return;
        MacAddress source = frame.Source;
        if (state.Table.TryFindLearned(source, out LearnedMac? learned))
            learned.Touch(state.Now);
        else if (_reported.IsNew(source, state.Now))
            mail.Learned(bytes[MacAddress.Length..(2 * MacAddress.Length)]);
    }

    /// <summary>
    /// One decision for the whole super-packet, then frame by frame. TCP is cut to what the path carries, which replaces "fragmentation needed";
    /// UDP only where its datagrams end.
    /// </summary>
    private void Cut(Span<byte> packet, in VirtioHeader header, PeerRoute self)
    {
        Span<byte> frame = packet[Frame.Room..];
        if (!Superpacket.TryRead(header, frame, out Superpacket segments))
        {
            state.Counters.Drop(DropReason.BadOffload);
            return;
        }

        RouteDecision decision = FrameRouter.Decide(frame, self, state.Table);
        if (decision.Action == RouteAction.Deliver)
        {
            int largest = sender.LargestFrame(decision.Owner!, Forwarder.MinFrameLimit(header.Kind == SegmentationKind.TcpIPv4));
            segments.Limit(largest);
            if (segments.LongestSegment <= largest && state.CaptureLength == 0 && sender.TryDeliver(decision.Owner!, frame, ref segments, decision.TrafficClass))
                return;
        }

        segments.Limit(Node.MaxFrameLength);
        while (segments.TryNext(out int offset, out int length))
            forwarder.Apply(decision, new Frame(packet.Slice(offset, Frame.Room + length)), self, byTcp: false);
    }
}
