using System.Net.Sockets;
using FastMesh.Cli.Config;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.Protocol;

namespace FastMesh.Cli.Check;

/// <summary>The nodes that this one dials: whether it can know where they are.</summary>
internal static class ConnectCheck
{
    /// <summary>For all names together.</summary>
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    /// <summary>Looks at every ConnectTo.</summary>
    /// <param name="net">What is checked.</param>
    /// <param name="looksUp">Ask for the addresses of names.</param>
    public static void Run(CheckedNet net, bool looksUp)
    {
        IReadOnlyList<string> names = net.Reading.Options!.Mesh.ConnectTo;
        foreach (string name in names)
        {
            ConfigEntry entry = net.Server.All("ConnectTo").First(e => e.Value == name);
            string host = net.Directory.HostFile(name);
            if (!net.Peers.TryGetValue(name, out CheckedPeer? peer))
                net.Warn(entry, $"There is no host file of {name}, so it cannot be dialled", $"copy hosts/{name} from {name} to {host}");
            else if (peer.Settings is { Addresses.Count: 0 })
                net.Warn(entry, $"{name} cannot be dialled: its host file has no Address", $"add a line such as Address = {name}.example.org to {host}");
        }

        if (names.Count == 0 && net.Reading.Options.Mesh.AutoConnect)
            CheckAutoConnect(net);
        if (looksUp)
            LookUp(net, [.. names.Where(net.Peers.ContainsKey).Select(n => net.Peers[n])]);
    }

    /// <summary>A node that others dial need not dial anyone, but one that nobody can dial must.</summary>
    private static void CheckAutoConnect(CheckedNet net)
    {
        string[] others = [.. net.Peers.Keys.Order(StringComparer.Ordinal)];
        if (others.Length > 0 && net.Server.First("Address") is null && !net.Peers.Values.Any(peer => peer.Settings is { Addresses.Count: > 0 }))
            net.Warn(net.Directory.HostsDirectory, "AutoConnect finds nobody to connect to: no host file has an Address", $"add a line such as Address = {others[0]}.example.org to {net.Directory.HostFile(others[0])}");
    }

    private static void LookUp(CheckedNet net, CheckedPeer[] peers)
    {
        AddressFamilyChoice family = net.Reading.Options!.Mesh.AddressFamily;
        List<(ConfigEntry Entry, string Host, Task<string?> Answer)> questions = [];
        foreach (CheckedPeer peer in peers)
        {
            foreach ((HostPort address, ConfigEntry entry) in (peer.Settings?.Addresses ?? []).Zip(peer.Tree.All("Address")))
                questions.Add((entry, address.Host, Task.Run(() => FailureOf(address, family))));
        }

        Task.WaitAll([.. questions.Select(q => q.Answer)], s_patience);
        foreach ((ConfigEntry entry, string host, Task<string?> answer) in questions)
        {
            string? failure = answer.IsCompleted ? answer.Result : $"no answer within {s_patience.TotalSeconds} seconds";
            if (failure is not null)
                net.Warn(entry, $"No address of {host} can be found: {failure}", "correct the name or the name server, or give a numeric address");
        }
    }

    private static string? FailureOf(HostPort address, AddressFamilyChoice family)
    {
        try
        {
            NameLookup.LookUp(address, family);
            return null;
        }
        catch (SocketException e)
        {
            return NameLookup.Describe(e);
        }
    }
}
