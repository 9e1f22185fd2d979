using System.Net;
using FastMesh.Cli.Check;
using FastMesh.Cli.Config;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.Protocol;

namespace FastMesh.Cli.Migration;

/// <summary>A node that a daemon has a connection with.</summary>
/// <param name="Name">Its name, or null if only its address is known.</param>
/// <param name="Address">Where the connection goes.</param>
internal sealed record ConnectedPeer(string? Name, IPAddress Address)
{
    /// <inheritdoc/>
    public override string ToString() => Name ?? Address.ToString();
}

/// <summary>Who is up, as far as the daemon tells: tincd 1.0 has no control socket, so only the addresses of its connections are to be seen.</summary>
/// <param name="Nodes">Every reachable node, or null if that is not known.</param>
/// <param name="Connected">Those with a connection.</param>
internal sealed record PeersUp(IReadOnlyList<string>? Nodes, IReadOnlyList<ConnectedPeer> Connected)
{
    private const int Reachable = 0x10, Connecting = 4; // tinc 1.1 reference, 10.2

    /// <summary>Names for messages.</summary>
    public IReadOnlyList<string> Names => Nodes ?? [.. Connected.Select(p => p.ToString())];

    /// <summary>Asks a daemon, or looks at its sockets.</summary>
    public static PeersUp Of(NetPaths paths, int process, PeerAddresses addresses)
    {
        try
        {
            using ControlClient client = ControlClient.Open(paths);
            return Of(client);
        }
        catch (ControlException)
        {
            return new(null, [.. SocketTable.ConnectionsOf(process).Select(c => new ConnectedPeer(addresses.NameOf(c.Remote.Address), c.Remote.Address))]);
        }
    }

    /// <summary>Which of those that were up are not up now.</summary>
    public IReadOnlyList<string> MissingIn(PeersUp now, PeerAddresses addresses)
    {
        if (Nodes is not null && now.Nodes is not null)
            return [.. Nodes.Except(now.Nodes)];
        List<ConnectedPeer> rest = [.. now.Connected];
        List<string> missing = [];
        foreach (ConnectedPeer peer in Connected)
        {
            ConnectedPeer? same = rest.Find(p => p.Name is not null && p.Name == peer.Name)
                ?? rest.Find(p => p.Address.Equals(peer.Address) || peer.Name is not null && addresses.Of(peer.Name).Contains(p.Address));
            bool isReachable = peer.Name is not null && now.Nodes?.Contains(peer.Name) == true;
            if (same is not null)
                rest.Remove(same);
            else if (!isReachable)
                missing.Add(peer.ToString());
        }

        return missing;
    }

    private static PeersUp Of(ControlClient client)
    {
        string[] nodes =
        [
            .. client.Rows(ControlRequest.DumpNodes)
                .Where(r => r.Length > 10 && (Convert.ToUInt32(r[10], 16) & Reachable) != 0 && r[0] != client.Name).Select(r => r[0]),
        ];
        List<ConnectedPeer> connected = [];
        foreach (string[] row in client.Rows(ControlRequest.DumpConnections))
        {
            if (row.Length > 6 && nodes.Contains(row[0]) && (Convert.ToUInt32(row[6], 16) & Connecting) == 0 && IPAddress.TryParse(row[1], out IPAddress? address))
                connected.Add(new(row[0], address));
        }

        return new(nodes, connected);
    }
}

/// <summary>Where the host files say that nodes are.</summary>
internal sealed class PeerAddresses
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(3);

    private readonly Dictionary<string, HashSet<IPAddress>> _addresses = [];

    /// <summary>Looks all of them up; what takes too long stays unknown.</summary>
    public PeerAddresses(ConfigDirectory directory)
    {
        List<(string Name, Task<IPAddress[]> Answer)> questions = [];
        foreach (string name in directory.ListHosts(out _))
        {
            foreach (ConfigEntry entry in directory.ReadHost(name, out _).Where(e => e.Variable.Equals("Address", StringComparison.OrdinalIgnoreCase)))
                questions.Add((name, Task.Run(() => LookUp(ServerSettings.ParseAddress(entry.Value, "0")))));
        }

        Task.WaitAll([.. questions.Select(q => q.Answer)], s_patience);
        foreach ((string name, Task<IPAddress[]> answer) in questions.Where(q => q.Answer.IsCompletedSuccessfully))
        {
            if (!_addresses.TryGetValue(name, out HashSet<IPAddress>? known))
                _addresses[name] = known = [];
            known.UnionWith(answer.Result);
        }
    }

    /// <summary>The addresses of a node.</summary>
    public IReadOnlySet<IPAddress> Of(string name) => _addresses.GetValueOrDefault(name) ?? [];

    /// <summary>The only node with that address, or null.</summary>
    public string? NameOf(IPAddress address)
    {
        string[] names = [.. _addresses.Where(a => a.Value.Contains(address)).Select(a => a.Key)];
        return names.Length == 1 ? names[0] : null;
    }

    private static IPAddress[] LookUp(HostPort target)
    {
        try
        {
            return [.. NameLookup.LookUp(target with { Port = "0" }, AddressFamilyChoice.Any).Select(e => IPAddress.Parse(e.AddressText))];
        }
        catch (System.Net.Sockets.SocketException)
        {
            return [];
        }
    }
}
