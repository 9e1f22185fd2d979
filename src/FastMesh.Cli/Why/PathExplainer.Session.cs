using FastMesh.Cli.Views;
using FastMesh.Engine.Daemon.Status;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;

namespace FastMesh.Cli.Why;

// What protects packets, and what becomes of connections.
internal sealed partial class PathExplainer
{
    private void ExplainSession()
    {
        PeerKeys keys = files.KeysOf(node.Name);
        KeyBelief belief = KeyTrustWords.Of(node.Protocol, node.HasConnection, keys);
        if (node.Session is { } session)
        {
            string since = session.Since is { } then ? $", agreed on {status.Since(then)} ago" : "";
            Fact("session", $"{Protocol}: {session.Suite}{since}, {(session.EndToEnd ? "end to end" : "from hop to hop")}. {Agreement(session)}");
        }

        if (node.HasConnection && (node.Session is null || node.Path is { Kind: PathKind.Tcp, By: null }))
        {
            ConnectionStatus? connection = status.Connections.FirstOrDefault(one => one.Name == node.Name && one.State == "active");
            string suite = connection is { IsSptps: true } ? "SPTPS, ChaCha20-Poly1305" : "protocol 17.0, AES-256-CFB without a MAC";
            Fact("session", $"Packets that go by TCP are protected by the connection instead: {suite}.");
        }

        if (belief != KeyBelief.Unknown || node.Session is not null)
            Fact("key", KeyTrustWords.Sentence(belief, node, keys));
    }

    private string Protocol => node.Protocol switch
    {
        NodeProtocol.FastMesh => "FastMesh session",
        NodeProtocol.Sptps => "tinc 1.1 session (SPTPS)",
        _ => "tinc 1.0 keys",
    };

    private string Agreement(SessionStatus session)
    {
        if (node.Protocol == NodeProtocol.Sptps)
            return $"{node.Name} is tinc 1.1, which has no other suite.";
        if (node.Protocol == NodeProtocol.Legacy)
            return $"Cipher, Digest and MACLength in {node.Name}'s tinc.conf say how packets to it are protected; those here, how packets from it are.";
        string cipher = session.Strength?.Cipher == "AES-256-GCM"
            ? "Both nodes have instructions for AES, so AES-256-GCM was taken"
            : "One of the two nodes has no instructions for AES, so ChaCha20-Poly1305 was taken";
        return session.Strength is { PostQuantum: true }
            ? $"{cipher}; both have ML-KEM-768."
            : $"{cipher}; ML-KEM-768 did not take part, because one of the two has no OpenSSL 3.5.";
    }

    private void ExplainConnections()
    {
        foreach (ConnectionStatus connection in status.Connections.Where(one => one.Name == node.Name))
        {
            string rtt = connection.RttMicroseconds is { } time ? $", round trip {Units.RoundTrip(time)}" : "";
            Fact("connection", FormattableString.Invariant(
                $"A connection {(connection.Outgoing ? "to" : "from")} {connection.Remote.Address} port {connection.Remote.Port} is {connection.State}, for {status.Since(connection.Since)}{rtt}."));
        }

        DialStatus? dial = status.Dials.FirstOrDefault(one => one.Node == node.Name);
        if (dial is { IsConnected: false })
            ExplainDial(dial);
        else if (!node.Reachable && !node.IsSelf && dial is null)
            ExplainStranger();
    }

    private void ExplainDial(DialStatus dial)
    {
        foreach (FailureStatus failure in dial.Failures)
        {
            string where = failure.Address.Length > 0 ? $"Connecting to {failure.Address}" : "Connecting";
            Fact("connection", $"{where} failed {status.Since(failure.Time)} ago: {failure.Error}.");
            _advice.Add(Remedy(failure));
        }

        if (dial.Failures.Count == 0)
            Fact("connection", $"This node is to connect to it ({(dial.IsChosen ? "AutoConnect" : "ConnectTo")}), and no attempt has failed yet.");
        if (dial.NextAttempt is { } next)
            Fact("connection", $"It is tried again in {Times.Words(next - status.Time)}; `retry' does so at once.");
    }

    private string Remedy(FailureStatus failure)
    {
        string where = failure.Address.Length > 0 ? failure.Address : node.Name, text = failure.Error;
        bool Says(params string[] words) => words.Any(word => text.Contains(word, StringComparison.OrdinalIgnoreCase));
        return Says("refused") ? $"nothing listens at {where}: start the daemon of {node.Name}, or correct Address and Port in hosts/{node.Name}"
            : Says("no Address") ? $"write Address = HOST into hosts/{node.Name}"
            : Says("resolved") ? $"correct the name in the Address of hosts/{node.Name}, or the DNS"
            : Says("route to host", "unreachable") ? $"there is no way to {where}: is the host up, is the Address in hosts/{node.Name} right, are routes?"
            : Says("nothing answered", "timed out", "timeout") ? $"let TCP port {where.Split(' ')[^1]} in at {node.Name}: a firewall drops it, or the host is down"
            : Says("know our key", "handshake") ? $"compare the keys: {node.Name} needs hosts/{OwnName} of this node, this node hosts/{node.Name} of that one; its log says more"
            : $"look in the logs of both nodes for what happened at {where}";
    }

    private void ExplainStranger()
    {
        string[] neighbours = [.. status.Connections.Where(one => one.State == "active" && one.Name is not null).Select(one => one.Name!).Order(StringComparer.Ordinal)];
        Fact("connection", neighbours.Length == 0
            ? "This node has no connection at all."
            : $"This node is connected with {string.Join(", ", neighbours)}; none of them, nor the nodes behind, has a connection with it.");
        string[] failing = [.. status.Dials.Where(one => !one.IsConnected).Select(one => one.Node)];
        if (failing.Length > 0)
            _advice.Add($"this node cannot connect to {string.Join(", ", failing)}: ask `why {failing[0]}'");
        _advice.Add($"look whether the daemon of {node.Name} runs and can connect to its ConnectTo nodes, or write ConnectTo = {node.Name} here");
    }
}
