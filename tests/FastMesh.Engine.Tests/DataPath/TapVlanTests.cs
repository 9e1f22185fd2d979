using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>
/// Two tap devices on one bridge: what is written to the first must come out of the second, where the kernel has it cut, or as the super-packet that the
/// kernel makes of it. The oracle is the list of frames that were merged (linux-dataplane reference, 1.5 to 1.7).
/// </summary>
public sealed class TapVlanTests
{
    private static readonly string[] s_tags = ["", "81000005", "88a80064", "88a8006481000005", "8100400181000005"];

    [SkippableTheory]
    [InlineData(true)]
    [InlineData(false)]
    public void Merged_frames_leave_the_bridge_as_they_were(bool cutByKernel)
    {
        using NamespaceThread host = new();
        using VpnDevice into = host.Call(() => Open("fmin", Offloads.All)), from = host.Call(() => Open("fmout", cutByKernel ? Offloads.None : Offloads.All));
        host.Run("ip", "link", "add", "fmbr", "type", "bridge", "mcast_snooping", "0", "forward_delay", "0");
        foreach (string device in (string[])["fmin", "fmout", "fmbr"])
        {
            host.Run("sysctl", "-qw", $"net.ipv6.conf.{device}.disable_ipv6=1");
            host.Run("ip", "link", "set", device, "up", "mtu", device == "fmbr" ? "1500" : "1508");
            if (device != "fmbr")
                host.Run("ip", "link", "set", device, "master", "fmbr");
        }

        using IPacketPort input = into.OpenPort(0), output = from.OpenPort(0);
        foreach (string tags in s_tags)
            foreach ((bool ipv6, bool udp) in ((bool, bool)[])[(false, false), (true, false), (false, true)])
            {
                TestPacket whole = new() { Tags = Convert.FromHexString(tags), IPv6 = ipv6, Udp = udp, Payload = (30 * 1400) + 77, Flags = 0x18 };
                List<byte[]> sent = [.. Enumerable.Range(0, 31).Select(i => whole.Segment(i, 1400).Build())];
                int written = Write(input, into.Traits(RoutingMode.Switch), sent);
                Assert.True(udp || written == 1, $"{written} writes");
                (List<byte[]> received, int packets) = Read(output, sent.Count);
                Assert.Equal(sent, received);
                Assert.True(cutByKernel || tags.Length == 16 || packets < 5, $"{packets} reads"); // of double tags the kernel makes no super-packets for a device
            }
    }

    private static VpnDevice Open(string name, Offloads offloads) =>
        VpnDevice.Open(new DeviceSettings { Kind = DeviceKind.Tap, Interface = name }, 1, offloads);

    private static int Write(IPacketPort port, DeviceTraits traits, List<byte[]> frames)
    {
        ShardState state = new(0, new TestNetwork("a").Build());
        using DeviceWriter writer = new(state, port, traits);
        foreach (byte[] frame in frames)
            writer.Write(new Frame((byte[])[0, 0, 0, 0, .. frame]));
        writer.Flush();
        Assert.Equal(0, state.Counters[DropReason.DeviceWrite]);
        return (int)state.Counters[ShardCounter.DevicePacketsOut];
    }

    /// <summary>Everything that waits, cut as the data path does.</summary>
    private static (List<byte[]> Frames, int Packets) Read(IPacketPort port, int wanted)
    {
        using PacketBatch batch = new(64, 8 * 65536);
        List<byte[]> frames = [];
        int packets = 0;
        while (frames.Count < wanted && port.Receive(batch) > 0)
        {
            for (int i = 0; i < batch.Count; i++, packets++)
            {
                VirtioHeader header = batch[i].Header;
                byte[] frame = batch.Bytes(i).ToArray();
                if (header.Kind == SegmentationKind.None)
                {
                    Assert.True(Superpacket.FinishChecksum(header, frame));
                    frames.Add(frame);
                    continue;
                }

                Assert.True(Superpacket.TryRead(header, frame, out Superpacket segments));
                while (segments.TryNext(out int offset, out int length))
                    frames.Add(frame.AsSpan(offset, length).ToArray());
            }

            batch.Clear();
        }

        return (frames, packets);
    }
}
