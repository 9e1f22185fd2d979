using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>End-to-end sessions with SPTPS and FastMesh nodes (tinc 1.1 reference, chapters 5 and 6.4).</summary>
public sealed partial class Mesh
{
    /// <summary>A shard sealed a datagram that must travel by TCP.</summary>
    /// <param name="node">Node id of its destination.</param>
    /// <param name="datagram">Both node ids, never zero, then the datagram.</param>
    /// <param name="now">Current time.</param>
    public void HandleTcpDatagram(int node, ReadOnlySpan<byte> datagram, Instant now)
    {
        UpdateGraph(now);
    }

    /// <summary>Datagrams of a node do not open: its session may be out of step (tinc 1.1 reference, 5.4).</summary>
    public void HandleOpenFailed(int node, Instant now)
    {
        UpdateGraph(now);
    }

    /// <summary>Makes sure that there is, or soon will be, a session with an SPTPS or FastMesh node; cheap to call again and again.</summary>
    private void RequestSession(Peer peer, Instant now)
    {
        RequestKey(peer.Node, now);
    }
}
