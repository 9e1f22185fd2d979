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

        string[] reachable = [.. net.Peers.Values.Where(p => p.Settings is { Addresses.Count: > 0 }).Select(p => p.Name).Order(StringComparer.Ordinal)];
        if (names.Count == 0 && reachable.Length > 0 && net.Reading.Keys is { SpeaksSptps: true } && net.Server.Boolean("AutoConnect") != false)
            net.Warn(net.Directory.ServerFile, "No ConnectTo, so this node dials nobody: tinc 1.1 would choose nodes by itself (AutoConnect)", $"add a line such as ConnectTo = {reachable[0]}");
        if (looksUp)
            LookUp(net, [.. names.Where(net.Peers.ContainsKey).Select(n => net.Peers[n])]);
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
