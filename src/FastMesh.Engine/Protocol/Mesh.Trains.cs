using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>Whether trains of datagrams arrive at a node: checked while there is traffic for it, or by way of it; <see cref="TrainProbe"/> judges.</summary>
public sealed partial class Mesh
{
    /// <summary>There is traffic.</summary>
    private void TendTrains(Peer peer, Instant now)
    {
        if (!_deadlines.IsSet(TimerKind.Trains, peer.Node.Id))
            _deadlines.Set(TimerKind.Trains, peer.Node.Id, now);
    }

    /// <summary>Ends a round of probes or begins one; without traffic nothing more happens.</summary>
    private void StepTrains(Peer peer, Instant now)
    {
        Routing.Node node = peer.Node;
        if (peer.Trains.IsOpen)
        {
            bool before = node.TakesTrains;
            _deadlines.Set(TimerKind.Trains, node.Id, now + peer.Trains.End());
            if (before == node.TakesTrains)
                return;
            _tableChanged = true;
            if (node.TakesTrains)
                _log.Always.TrainsArrive(node.Name, node.Address);
            else
                _log.Always.TrainsLost(node.Name, node.Address);
            return;
        }

        if (!node.Reachable || node.Sealer is null || node.UdpPaused || !node.Address.IsSet || !(peer.Discovery.IsBusy(now) || peer.Trains.IsInDoubt)
            || !peer.Trains.TryBegin(_random, out byte[] single, out byte[] train))
            return;
        _actions.Enqueue(new MeshAction.SendProbe(node.Id, single, default));
        _actions.Enqueue(new MeshAction.SendProbe(node.Id, train, default) { Copies = TrainProbe.Datagrams });
        TimeSpan wait = 3 * (node.Rtt ?? ProtocolLimits.MaxCheckWait);
        _deadlines.Set(TimerKind.Trains, node.Id, now
            + (wait < ProtocolLimits.MinCheckWait ? ProtocolLimits.MinCheckWait : wait > ProtocolLimits.MaxCheckWait ? ProtocolLimits.MaxCheckWait : wait));
    }
}
