using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>UDP discovery and path MTU of SPTPS and FastMesh nodes, UDP_INFO and MTU_INFO (tinc 1.1 reference, chapter 7).</summary>
public sealed partial class Mesh
{
    /// <summary>There is traffic for a node: what is due towards it is done (tinc 1.1 reference, 7.2).</summary>
    /// <param name="node">Node id.</param>
    /// <param name="keyNeeded">Whether it had to be dropped for want of a session.</param>
    /// <param name="now">Current time.</param>
    public void HandleTraffic(int node, bool keyNeeded, Instant now)
    {
        UpdateGraph(now);
        if (_peers.TryGetValue(node, out Peer? peer))
            TendPath(peer, now);
    }

    /// <summary>Datagrams of a node arrive by way of a relay (tinc 1.1 reference, 6.3 step 7, 7.5).</summary>
    public void HandleRelayed(int node, int relay, Instant now)
    {
        UpdateGraph(now);
        if (!_peers.TryGetValue(node, out Peer? peer) || !peer.Node.Reachable)
            return;
        if (RelayOf(peer.Node)?.Id != relay)
            NoteIndirect(peer.Node, Self, now);
        OfferMtu(peer.Node, now);
    }

    /// <summary>There is traffic to or from a node: gets a session, and keeps the way by UDP open.</summary>
    private void TendPath(Peer peer, Instant now)
    {
        if (peer.Node is { Reachable: true, Protocol: not NodeProtocol.Legacy })
            RequestSession(peer, now);
    }

    /// <summary>Everything known about the way to a node by UDP is void: its reachability or its <see cref="Node.Protocol"/> has changed.</summary>
    private void ResetPath(Peer peer, Instant now)
    {
        peer.Probe.Reset();
        _deadlines.Cancel(TimerKind.Probe, peer.Node.Id);
    }
}
