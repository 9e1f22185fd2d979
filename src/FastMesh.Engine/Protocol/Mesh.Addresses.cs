using System.Globalization;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// Where to dial a node (tinc 1.1 reference, 9.2): where it was reached before, where others see it, what its host file says. A node of tinc 1.0 knows only
/// the last.
/// </summary>
public sealed partial class Mesh
{
    private bool LearnsAddresses => _settings.SpeaksSptps || _settings.AutoConnect;

    /// <summary>All addresses of a node in the order in which they are tried; what was learned is not tried again for the host file.</summary>
    private IEnumerable<HostPort> AddressesOf(string name, PeerSettings peer)
    {
        IEnumerable<Endpoint> learned = LearnsAddresses ? _settings.KnownAddresses.Find(name).Union(SeenAt(name)) : [];
        HostPort[] texts = [.. learned.Select(at => new HostPort(at.AddressText, at.Port.ToString(CultureInfo.InvariantCulture)))];
        return texts.Concat(peer.Addresses.Where(address => !texts.Contains(address)));
    }

    /// <summary>Where its neighbours see a node: first where most of them do.</summary>
    private IEnumerable<Endpoint> SeenAt(string name) => _graph.Find(name) is not { } node ? [] : node.Edges.Values
        .Select(edge => edge.Reverse?.Address ?? default)
        .Where(address => address.IsSet && address.Port != 0 && !IsOwnAddress(address))
        .CountBy(address => address).OrderByDescending(pair => pair.Value).Select(pair => pair.Key)
        .Take(ProtocolLimits.MaxSeenAddresses);

    /// <summary>The address that led to a node is the first to be tried from now on, unless only a proxy knows it.</summary>
    private void RememberDialled(MetaConnection connection)
    {
        if (connection.Initiator)
            Remember(connection.Name!, connection.Remote);
    }

    /// <summary>UDP to a node works: if it is a neighbour, the address that its connection has told is likely good.</summary>
    private void RememberNeighbour(Node node)
    {
        if (node.HasConnection && Graph.FindEdge(Self, node) is { } edge)
            Remember(node.Name, edge.Address);
    }

    private void Remember(string name, Endpoint address)
    {
        if (!LearnsAddresses || !address.IsSet || address.Port == 0)
            return;
        IReadOnlyList<Endpoint> known = _settings.KnownAddresses.Find(name);
        if (known.Count == 0 || known[0] != address)
            _settings.KnownAddresses.Keep(name, [address, .. known.Where(other => other != address).Take(ProtocolLimits.MaxKnownAddresses - 1)]);
    }
}
