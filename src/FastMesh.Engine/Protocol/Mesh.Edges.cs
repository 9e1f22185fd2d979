using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>ADD_EDGE and DEL_EDGE, and what to do about another node with our name (tinc 1.0 reference, 4.7).</summary>
public sealed partial class Mesh
{
    private static readonly (string Address, string Port) s_nowhere = ("0.0.0.0", "0");

    private readonly SortedSet<string> _disputed = new(StringComparer.Ordinal);
    private int _wrongAdds, _wrongDeletes;
    private TimeSpan _clashPause = ProtocolLimits.ClashPause;

    /// <summary>
    /// <c>NONCE FROM TO ADDRESS PORT OPTIONS WEIGHT [LOCALADDRESS LOCALPORT]</c>; more fields are passed on. One of the two local fields alone would
    /// end the connection of a tinc 1.1 node that it is passed on to, so it is refused (tinc 1.1 reference, 1.7).
    /// </summary>
    private bool HandleAddEdge(MetaConnection from, ref MetaReader fields, Instant now)
    {
        if (!fields.TryHex(out _) || !fields.TryName(out string fromName) || !fields.TryName(out string toName) || fromName == toName
            || !fields.TryText(out string address) || !fields.TryText(out string port)
            || !fields.TryHex(out uint options) || !fields.TryInt(out int weight))
            return Refuse(from, MetaRequest.AddEdge, "unparsable");
        bool hasLocal = fields.TryText(out string localAddress) & fields.TryText(out string localPort);
        if (localAddress.Length > 0 && !hasLocal)
            return Refuse(from, MetaRequest.AddEdge, "local address without port");
        Endpoint local = hasLocal && Endpoint.TryParse(localAddress, localPort, out Endpoint parsed) ? parsed : default;
        if (IsSeen(from, ref fields, now) || (IsForeign(from, fromName) && IsForeign(from, toName)))
            return true;

        Node source = _graph.Find(fromName) ?? AddNode(fromName), target = _graph.Find(toName) ?? AddNode(toName);
        Edge? edge = Graph.FindEdge(source, target);
        if (edge is not null && IsSame(edge, (address, port), local, (EdgeOptions)options, weight))
            return true;
        if (source == Self)
        {
            CorrectEdge(from, MetaRequest.AddEdge, target.Name, edge, now);
            return true;
        }

        edge = _graph.SetEdge(source, target, (address, port), (EdgeOptions)options, weight);
        if (local.IsSet)
            edge.LocalAddress = local;
        _graphChanged = true;
        Forward(from, MetaRequest.AddEdge, fields.Line, now);
        return true;
    }

    /// <summary><c>NONCE FROM TO</c></summary>
    private bool HandleDelEdge(MetaConnection from, ref MetaReader fields, Instant now)
    {
        if (!fields.TryHex(out _) || !fields.TryName(out string fromName) || !fields.TryName(out string toName) || fromName == toName)
            return Refuse(from, MetaRequest.DelEdge, "unparsable");
        if (IsSeen(from, ref fields, now) || (IsForeign(from, fromName) && IsForeign(from, toName)))
            return true;

        Node? source = _graph.Find(fromName), target = _graph.Find(toName);
        if (source is null || target is null || Graph.FindEdge(source, target) is not { } edge)
        {
            _log.Status.UnknownNode(NameOf(MetaRequest.DelEdge), from, $"{fromName} -> {toName}");
            return true;
        }

        if (source == Self)
        {
            CorrectEdge(from, MetaRequest.DelEdge, toName, edge, now);
            return true;
        }

        Forward(from, MetaRequest.DelEdge, fields.Line, now);
        _graph.RemoveEdge(edge);
        _graphChanged = true;
        RemoveReverseEdge(target, now);
        return true;
    }

    /// <summary>Whether nothing about an edge is news. That a line has no local address is none: tinc 1.0 leaves it out when it writes one anew.</summary>
    private static bool IsSame(Edge edge, (string, string) address, Endpoint local, EdgeOptions options, int weight)
    {
        if (edge.Options != options || edge.Weight != weight || (local.IsSet && local != edge.LocalAddress))
            return false;
        return edge.AddressText == address
            || (edge.Address.IsSet && Endpoint.TryParse(address.Item1, address.Item2, out Endpoint parsed) && parsed == edge.Address);
    }

    /// <summary>Someone makes a statement about an edge of ours that is wrong: tell the one it came from how it is.</summary>
    private void CorrectEdge(MetaConnection from, MetaRequest request, string to, Edge? edge, Instant now)
    {
        if (request == MetaRequest.DelEdge)
            _wrongDeletes++;
        else if (edge is null)
            _wrongAdds++;

        Dispute(to, now);
        if (!MayCorrect(from, request))
            return;
        if (edge is not null)
            Send(from, MetaRequest.AddEdge, Compose(edge), now);
        else
            Send(from, MetaRequest.DelEdge, MetaWriter.DelEdge(_random.NextNonce(), Self.Name, to), now);
    }

    /// <summary>Whether a wrong statement about self is to be corrected now; not while another node seems to have our name.</summary>
    private bool MayCorrect(MetaConnection from, MetaRequest request)
    {
        _log.Status.Contradiction(NameOf(request), from);
        return !_deadlines.IsSet(TimerKind.ClashEnd);
    }

    /// <summary>
    /// Many contradictions of both kinds mean that another node has our name. Answering goes on forever then, so for a while,
    /// longer each time, wrong statements are only noted and nothing is dialled; the daemon goes on working meanwhile.
    /// </summary>
    private void CheckForClash(Instant now)
    {
        bool clash = _wrongAdds > ProtocolLimits.ClashThreshold && _wrongDeletes > ProtocolLimits.ClashThreshold;
        (_wrongAdds, _wrongDeletes) = (0, 0);
        if (clash)
        {
            _log.Always.NameClash((long)_clashPause.TotalSeconds);
            _deadlines.Set(TimerKind.ClashEnd, 0, now + _clashPause);
            _deadlines.Cancel(TimerKind.Settle);
            _disputed.Clear();
            _clashPause = Min(2 * _clashPause, ProtocolLimits.MaxClashPause);
        }
        else if (!_deadlines.IsSet(TimerKind.ClashEnd))
        {
            _clashPause = Max(_clashPause / 2, ProtocolLimits.ClashPause);
        }
    }

    /// <summary>The quiet time is over: what was said of us meanwhile is put right for everyone.</summary>
    private void EndClash(Instant now)
    {
        SettleDisputes(now);
        foreach (Subnet subnet in _subnets.Of(Self))
            AnnounceSubnet(Self, subnet, up: true, now);
    }

    /// <summary>Notes that others may be wrong about an edge of ours, to be put right when it has become quiet.</summary>
    private void Dispute(string to, Instant now)
    {
        if (_disputed.Count < ProtocolLimits.MaxDisputedEdges)
            _disputed.Add(to);
        if (!_deadlines.IsSet(TimerKind.ClashEnd))
            _deadlines.Set(TimerKind.Settle, 0, now + _settings.PingTimeout + ProtocolLimits.SettleDelay); // a name clash is found first
    }

    /// <summary>
    /// Puts right for everyone what others said wrongly of our edges. The answer to the neighbour a statement came from is not enough: a node passes
    /// on only what is news to it, so an ADD_EDGE stops at those that have the edge, a DEL_EDGE at those that lack it, and neither reaches one behind
    /// them that is wrong. With another weight an ADD_EDGE is news to all, and so is a DEL_EDGE after it.
    /// </summary>
    private void SettleDisputes(Instant now)
    {
        foreach (string to in _disputed)
        {
            if (_graph.Find(to) is { } node && Graph.FindEdge(Self, node) is { } edge)
            {
                MetaConnection? connection = PeerOf(node).Connection;
                int agreed = connection?.Weight ?? edge.Weight;
                edge = _graph.SetEdge(Self, node, edge.AddressText, edge.Options, edge.Weight == agreed ? agreed + 1 : agreed);
                _graphChanged = true;
                if (!_settings.TunnelServer)
                    Broadcast(null, MetaRequest.AddEdge, Compose(edge), now);
                else if (connection is not null)
                    Send(connection, MetaRequest.AddEdge, Compose(edge), now);
            }
            else if (!_settings.TunnelServer)
            {
                string add = MetaWriter.AddEdge(_random.NextNonce(), (Self.Name, to), s_nowhere, EdgeOptions.None, ProtocolLimits.NobodysWeight, default);
                Broadcast(null, MetaRequest.AddEdge, add, now);
                Broadcast(null, MetaRequest.DelEdge, MetaWriter.DelEdge(_random.NextNonce(), Self.Name, to), now);
            }
        }

        _disputed.Clear();
    }

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;

    private static TimeSpan Max(TimeSpan left, TimeSpan right) => left > right ? left : right;
}
