using FastMesh.Engine.Daemon.Status;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;

namespace FastMesh.Cli.Views;

/// <summary>What the values of a snapshot are called on a screen.</summary>
internal static class Words
{
    private static readonly Dictionary<string, string> s_drops = new(StringComparer.Ordinal)
    {
        ["tooShort"] = "shorter than their headers",
        ["tooLong"] = "longer than any node receives",
        ["unknownType"] = "neither IPv4 nor IPv6",
        ["badOffload"] = "the device contradicted itself",
        ["noSubnet"] = "no subnet has their destination",
        ["routingLoop"] = "they would have gone back to where they came from",
        ["unreachable"] = "the node they were for cannot be reached",
        ["prohibited"] = "Forwarding or DirectOnly forbids them",
        ["timeExceeded"] = "their TTL was used up",
        ["tooBig"] = "too large for the path; their senders were told",
        ["neighbour"] = "questions for neighbours that nobody answers here",
        ["errorNotSent"] = "ICMP errors above the limit",
        ["noConnection"] = "no connection to the next node",
        ["noAddress"] = "the UDP address of the next node is not known",
        ["sealFailed"] = "could not be encrypted",
        ["noKey"] = "there were no keys yet",
        ["badDatagram"] = "datagrams that are not genuine, or under old keys",
        ["unknownNode"] = "datagrams that name nodes not known here",
        ["unknownSource"] = "datagrams from unknown addresses",
        ["strayTest"] = "records of a speed test that is over, or not known",
        ["strayProbe"] = "probes that came another way than straight by UDP",
        ["replayed"] = "datagrams too late, or twice",
        ["congestion"] = "congestion on the way, which only their loss can tell of",
        ["truncated"] = "datagrams too long",
        ["ringFull"] = "a thread of the daemon was behind with its work",
        ["sendFailed"] = "the kernel refused to send them",
        ["deviceWrite"] = "the device refused them",
    };

    /// <summary>The protocol of data, in one or two words.</summary>
    public static string Of(NodeProtocol protocol) => protocol switch
    {
        NodeProtocol.FastMesh => "fastmesh",
        NodeProtocol.Sptps => "tinc 1.1",
        _ => "tinc 1.0",
    };

    /// <summary>How packets travel: <c>direct</c>, <c>via gamma</c>, <c>TCP</c>, <c>TCP via beta</c>, <c>idle</c>, <c>down</c>.</summary>
    public static string Of(PathStatus path) => path.Kind switch
    {
        PathKind.Self => "this node",
        PathKind.Unreachable => "down",
        PathKind.Idle => "idle",
        PathKind.Direct => "direct",
        PathKind.Relay => $"via {path.By}",
        _ => path.By is null ? "TCP" : $"TCP via {path.By}",
    };

    /// <summary>Why packets do not go straight by UDP, as the end of a sentence that begins with the node; empty if there is nothing to say.</summary>
    public static string Of(PathReason reason) => reason switch
    {
        PathReason.TcpOnlyHere => "TCPOnly is set here",
        PathReason.TcpOnlyThere => "TCPOnly is set there",
        PathReason.Indirect => "IndirectData is set there, or on every way to it",
        PathReason.NoSession => "no keys have been agreed on yet",
        PathReason.NoAddress => "nobody has told its UDP address",
        PathReason.KeyChange => "keys are being changed, for a moment",
        PathReason.NoReply => "it has not answered by UDP: just started, or a firewall stops it",
        PathReason.NoTraffic => "there was no traffic lately; the next packet opens UDP again",
        PathReason.MtuUnknown => "it is being found out which lengths arrive by UDP",
        _ => "",
    };

    /// <summary>What a drop reason means; the name itself if it is of another version.</summary>
    public static string OfDrop(string reason) => s_drops.GetValueOrDefault(reason, reason);

    /// <summary>The cipher alone, for narrow columns.</summary>
    public static string Short(string suite) => suite.Split(',')[0].Split(" with ")[0];
}
