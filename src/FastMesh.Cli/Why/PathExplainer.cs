using System.Globalization;
using FastMesh.Cli.Views;
using FastMesh.Engine.Daemon.Status;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Cli.Why;

/// <summary>Says in words how packets to a node travel, why, and what to do about it. A view of a snapshot and of the configuration.</summary>
/// <param name="status">The daemon.</param>
/// <param name="files">Its configuration.</param>
/// <param name="node">The node asked about.</param>
internal sealed partial class PathExplainer(DaemonStatus status, NetFiles files, NodeStatus node)
{
    private static readonly string[] s_offloads = ["vnet", "csum", "tso", "gro"];

    private readonly List<WhyFact> _facts = [];
    private readonly List<string> _advice = [];

    private string Udp => node.UdpAddress is { } address ? $"{address.Address} port {address.Port}" : "an address nobody has told";

    private EdgeOptions Options => (EdgeOptions)node.Options;

    /// <summary>A node that the mesh does not know of at present, though the configuration does.</summary>
    public static NodeStatus Absent(string name) => new()
    {
        Name = name,
        Id = NodeId.Of(name).ToString(),
        IsSelf = false,
        Reachable = false,
        Protocol = NodeProtocol.Legacy,
        MetaProtocol = "17.0",
        Path = new(PathKind.Unreachable, null, PathReason.None, null),
        Mtu = new(0, 0, 0, MtuState.Unknown),
        Distance = -1,
        Options = 0,
        StatusBits = 0,
        HasConnection = false,
        TakesTrains = true,
        Traffic = new(0, 0, 0, 0, 0, 0, 0, 0),
    };

    /// <summary>Explains.</summary>
    public WhyReport Explain(string question)
    {
        ExplainMesh();
        if (node is { IsSelf: false, Reachable: true })
        {
            ExplainReason();
            ExplainUdp();
            ExplainMtu();
            ExplainSession();
            ExplainOffloads();
            ExplainRouting();
        }

        ExplainConnections();
        ExplainDrops();
        return new()
        {
            Question = question,
            Node = node.Name,
            Path = System.Text.Json.JsonNamingPolicy.CamelCase.ConvertName(node.Path.Kind.ToString()),
            Summary = Summary(),
            Facts = _facts,
            Advice = [.. _advice.Distinct()],
        };
    }

    private string Summary() => node.Path.Kind switch
    {
        PathKind.Self => $"{node.Name} is this node: packets for it go to {(status.Device.Interface.Length > 0 ? status.Device.Interface : "its device")}.",
        PathKind.Unreachable => $"{node.Name} cannot be reached: packets to it are dropped, and their senders told.",
        PathKind.Idle => $"Nothing has been sent to {node.Name} so far; the first packet has keys agreed on and the way looked for.",
        PathKind.Direct => $"Packets to {node.Name} go straight to it by UDP, to {Udp}.",
        PathKind.Relay => $"Packets to {node.Name} go by UDP to {node.Path.By}, which passes them on.",
        _ when node.Path.By is { } by => $"Packets to {node.Name} go by TCP, on the connection with {by}.",
        _ => $"Packets to {node.Name} go by TCP, on the connection with it.",
    };

    private void Fact(string topic, string text) => _facts.Add(new(topic, text));

    private void ExplainMesh()
    {
        if (node.IsSelf)
            return;
        if (node.Reachable)
        {
            string since = node.Since is { } then ? $" for {status.Since(then)}" : "";
            string far = node.Distance == 1 ? "it is a neighbour" : string.Create(CultureInfo.InvariantCulture, $"{node.Distance} connections away, the first with {node.NextHop}");
            Fact("mesh", $"It has been reachable{since}: {far}.");
            return;
        }

        Fact("mesh", node.Since is { } gone
            ? $"It has not been reachable for {status.Since(gone)}; {(node.SeenBy is { } by ? $"{(by == OwnName ? "this node" : by)} was the last to have a connection with it." : "nobody says who had a connection with it.")}"
            : "No path of connections leads to it, and nobody has told of it lately.");
        string[] oneSided = [.. status.Edges.Where(edge => edge.To == node.Name).Select(edge => edge.From)];
        if (oneSided.Length > 0)
            Fact("mesh", $"{string.Join(", ", oneSided)} still claims a connection with it, which it does not confirm.");
    }

    private void ExplainDrops()
    {
        if (node.DroppedPackets.Count > 0)
        {
            IEnumerable<string> drops = node.DroppedPackets.OrderByDescending(drop => drop.Value).Select(drop => FormattableString.Invariant($"{drop.Value} ({Words.OfDrop(drop.Key)})"));
            Fact("dropped", $"Of packets from and for it, dropped here since the start: {string.Join(", ", drops)}.");
        }
    }

    private string OwnName => status.Daemon.Name;

    private void ExplainReason()
    {
        string name = node.Name;
        switch (node.Path.Reason)
        {
            case PathReason.TcpOnlyHere:
                Fact("udp", "TCPOnly is set here, so that nothing goes by UDP.");
                _advice.Add($"remove TCPOnly = yes from tinc.conf or hosts/{OwnName} here, and restart, to use UDP");
                break;
            case PathReason.TcpOnlyThere:
                Fact("udp", $"TCPOnly is set at {name}, or in its host file here: it gets nothing by UDP.");
                _advice.Add($"remove TCPOnly = yes at {name} and from hosts/{name} here to use UDP");
                break;
            case PathReason.Indirect:
                Fact("udp", $"IndirectData is set at {name}, or on every way to it: it is not sent UDP directly.");
                _advice.Add($"remove IndirectData = yes at {name}, or connect to it from here (ConnectTo = {name}), if it can be reached");
                break;
            case PathReason.NoSession:
                Fact("session", "There is no key for it yet; one has been asked for.");
                if (!node.HasConnection)
                    _advice.Add($"if it stays so, look in the logs of both nodes for `Refusing a session' and for the key of the other in hosts/ and fastmesh/known");
                break;
            case PathReason.NoAddress:
                Fact("udp", "No node has told at which address it takes UDP.");
                _advice.Add($"give hosts/{name} an Address, and connect to it from here or from a node with a public address");
                break;
            case PathReason.KeyChange:
                Fact("udp", "Its session changes its keys at this moment; UDP pauses for some tenths of a second.");
                break;
            case PathReason.NoTraffic:
                Fact("udp", "There was no traffic for it lately, so that UDP is not kept open; the next packet has it tried again.");
                break;
            case PathReason.MtuUnknown:
                Fact("udp", "UDP works; it is being found out which lengths arrive.");
                break;
        }
    }

    private void ExplainUdp()
    {
        if (node.Probes is not { } probes || node.Path.Reason is PathReason.TcpOnlyHere or PathReason.TcpOnlyThere)
            return;
        string rtt = node.UdpRttMicroseconds is { } microseconds ? $", after {Units.RoundTrip(microseconds)}" : "";
        bool isSilent = probes.UnansweredSince is { } since && probes.Unanswered > 2 && status.Time - since > TimeSpan.FromSeconds(5);
        if (isSilent && node.Path.Kind != PathKind.Direct)
        {
            string for_ = status.Since(probes.UnansweredSince!.Value);
            Fact("udp", $"{probes.Unanswered} probes by UDP to {Udp} have had no answer for {for_}{(probes.LastAnswered is null ? "" : ", while those before had")}.");
            _advice.Add(LetIn(for_));
        }
        else if (probes.LastAnswered is { } answered)
        {
            Fact("udp", $"It answered by UDP from {Udp} {status.Since(answered)} ago{rtt}.");
        }
        else if (probes.LastSent is { } sent)
        {
            Fact("udp", $"It was last asked by UDP {status.Since(sent)} ago, at {Udp}; the answer is awaited.");
        }
        else if (node.Path.Reason == PathReason.NoReply)
        {
            Fact("udp", $"It has not been asked by UDP yet.");
        }
    }

    private string LetIn(string since)
    {
        string here = status.Listeners is [var first, ..] ? first.Port : "655";
        return node.UdpAddress is { } address
            ? $"no UDP answer from {address.Address} port {address.Port} since {since}: let UDP port {address.Port} in at {node.Name}, and UDP port {here} in here; if a NAT is between, forward that port on it"
            : $"let UDP in at {node.Name} and UDP port {here} in here";
    }

    private void ExplainMtu()
    {
        MtuStatus mtu = node.Mtu;
        if (!Options.HasFlag(EdgeOptions.PmtuDiscovery))
        {
            Fact("mtu", "PMTUDiscovery is off for it: packets of any length are sent, and fragmented on the way where they are too long.");
            _advice.Add($"set PMTUDiscovery = yes here and at {node.Name}: fragments are slow, and often dropped");
        }
        else if (mtu.State == MtuState.Confirmed)
        {
            Fact("mtu", $"Probes have found that packets of up to {Longest} bytes arrive whole by UDP, and no longer ones.");
            if (mtu.MinBytes < SmallMtu)
                _advice.Add($"the path to {node.Name} carries short packets only: look for a link with a small MTU, or for a firewall that drops ICMP \"fragmentation needed\" and fragments");
        }
        else if (mtu.State == MtuState.Discovering)
        {
            Fact("mtu", $"Packets of up to {Longest} bytes are proven to arrive by UDP; longer ones are being tried.");
        }
        else if (node.Path.Kind is PathKind.Direct or PathKind.Relay)
        {
            Fact("mtu", $"No length is proven to arrive straight at {node.Name} by UDP{(node.Path.By is { } by ? $"; what counts is the way to {by}" : "")}.");
        }
    }

    /// <summary>The longest packet known to arrive, bytes; of a node that gets none by UDP now, as of its probes.</summary>
    private int Longest => node.Path.PacketBytes ?? node.Mtu.MinBytes - EthernetFrame.HeaderLength;

    /// <summary>Below this, bytes with Ethernet header, something on the path is unusual: IPv6's least MTU less what FastMesh adds.</summary>
    private const int SmallMtu = 1280 - 85 + 14;

    private void ExplainRouting()
    {
        if (files.IsSet("DirectOnly") && node.Via != node.Name)
        {
            Fact("mesh", "DirectOnly is set here: packets to nodes that cannot be sent UDP directly are dropped.");
            _advice.Add("remove DirectOnly = yes from tinc.conf here, or make the direct way possible");
        }
    }

    private void ExplainOffloads()
    {
        if (node.Path.Kind is not (PathKind.Direct or PathKind.Relay))
            return;
        bool cuts = status.Device.Offloads.Contains("gso");
        if (node.TrainsRefused is { } refused && status.Time - refused.Time < TimeSpan.FromMinutes(2))
        {
            Fact("offloads", $"The kernel refused to cut trains of datagrams to it {status.Since(refused.Time)} ago ({refused.Error}): they go one by one, and trains are tried again each minute.");
            _advice.Add("look at the device that the route to it leads to: tunnels and some network cards cannot cut UDP (ethtool -k DEVICE, tx-udp-segmentation)");
        }
        else if (!node.TakesTrains)
        {
            Fact("offloads", "Datagrams sent to it as a train get lost on the way, as probes have shown: they go one by one, and trains are tried again each minute.");
            _advice.Add("something on the way spoils segmented UDP: try ethtool -K DEVICE tx-udp-segmentation off on the card or the host below");
        }
        else
        {
            Fact("offloads", cuts ? "Datagrams go to it in trains that the kernel cuts (UDP_SEGMENT)." : "Datagrams go to it one by one: the kernel cannot cut trains, or --no-offload says so.");
        }

        string[] missing = [.. s_offloads.Except(status.Device.Offloads)];
        if (missing.Length > 0 && status.Device.Kind is "tun" or "tap")
            Fact("offloads", $"Not in use here: {string.Join(", ", missing)}.");
    }
}
