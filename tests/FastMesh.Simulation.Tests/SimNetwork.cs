using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Simulation.Tests;

/// <summary>
/// A network of meshes on a virtual clock. TCP streams keep their order and are cut at random; UDP datagrams may be lost, are
/// dropped above the path MTU, and may overtake each other. While two nodes are parted, their datagrams vanish and their
/// streams stall. Everything follows from the seed.
/// </summary>
internal sealed class SimNetwork
{
    private readonly PriorityQueue<Action, (long At, long Order)> _events = new();
    private readonly SortedDictionary<string, SimNode> _nodes = new(StringComparer.Ordinal);
    private readonly HashSet<(string, string)> _parted = [];
    private long _order;

    public SimNetwork(int seed) => (Seed, Random) = (seed, new Random(seed));

    public int Seed { get; }

    public Random Random { get; }

    public Instant Now { get; private set; } = new(1_000_000);

    /// <summary>One-way delay of everything, milliseconds; up to half of it is added at random.</summary>
    public int Latency { get; init; } = 10;

    /// <summary>Share of datagrams that get lost.</summary>
    public double Loss { get; init; }

    /// <summary>Share of datagrams that arrive twice.</summary>
    public double Duplicates { get; init; }

    /// <summary>Whether datagrams, other than streams, are dropped between two nodes.</summary>
    public Func<SimNode, SimNode, bool> BlocksUdp { get; set; } = static (_, _) => false;

    /// <summary>Largest IP packet on every path, bytes.</summary>
    public int PathMtu { get; set; } = 1500;

    /// <summary>Debug level of all nodes' logs.</summary>
    public int DebugLevel { get; init; } = 2;

    public IReadOnlyCollection<SimNode> Nodes => _nodes.Values;

    public SimNode this[string name] => _nodes[name];

    /// <summary>Adds a node whose host file all nodes have, and who has everyone's.</summary>
    public SimNode Add(string name, Func<MeshSettings, MeshSettings>? configure = null)
    {
        int index = _nodes.Count;
        var node = new SimNode(this, name, index, configure ?? (settings => settings));
        _nodes.Add(name, node);
        foreach (SimNode other in _nodes.Values)
        {
            other.Directory.Files[name] = node.HostFile;
            node.Directory.Files[other.Name] = other.HostFile;
        }

        return node;
    }

    /// <summary>
    /// Adds nodes n00, n01, ... with a subnet each; <paramref name="dials"/> says whom number i connects to. All edges get the
    /// same weight from the host files: when one of two parallel connections replaces the other, a measured weight changes, and
    /// the protocol cannot promise that every node keeps the newer of two values that overtake each other.
    /// </summary>
    public SimNetwork AddMany(int count, Func<int, IEnumerable<int>> dials)
    {
        for (int i = 0; i < count; i++)
        {
            string[] targets = [.. dials(i).Select(NameOf)];
            Assert.True(Subnet.TryParse($"10.{100 + (i / 256)}.{i % 256}.0/24", out Subnet subnet));
            SimNode node = Add(NameOf(i), settings => settings with { ConnectTo = targets, Subnets = [subnet] });
            foreach (SimNode other in _nodes.Values)
                other.Directory.Files[node.Name] = node.HostFile with { Weight = 7 };
            foreach (SimNode other in _nodes.Values)
                node.Directory.Files[other.Name] = other.HostFile with { Weight = 7 };
        }

        return this;
    }

    public static string NameOf(int index) => $"n{index:D2}";

    public SimNetwork StartAll()
    {
        foreach (SimNode node in _nodes.Values)
            node.Start();
        return this;
    }

    public SimNode? FindByAddress(Endpoint address) => _nodes.Values.FirstOrDefault(node => node.Address.SameAddress(address));

    /// <summary>Cuts every path between a group and the rest.</summary>
    public void Part(params string[] group)
    {
        foreach (SimNode left in _nodes.Values.Where(node => group.Contains(node.Name)))
        {
            foreach (SimNode right in _nodes.Values.Where(node => !group.Contains(node.Name)))
            {
                _parted.Add((left.Name, right.Name));
                _parted.Add((right.Name, left.Name));
            }
        }
    }

    public void Heal()
    {
        _parted.Clear();
        foreach (SimNode node in _nodes.Values)
            node.ResumeStreams();
    }

    public bool AreParted(SimNode left, SimNode right) => _parted.Contains((left.Name, right.Name));

    /// <summary>Does something after the latency, but not before a given time. Returns when.</summary>
    public long Later(Action action, long notBefore = 0)
    {
        long at = Math.Max(notBefore, Now.Milliseconds + Latency + Random.Next(Latency / 2 + 1));
        _events.Enqueue(action, (at, _order++));
        return at;
    }

    /// <summary>All clocks move at once: what was due meanwhile is late, as on a machine that was suspended.</summary>
    public void Jump(TimeSpan span) => Now += span;

    public void RunFor(TimeSpan span) => RunUntil(() => false, span);

    /// <summary>Lets time pass until the condition holds; false if it does not within the limit.</summary>
    public bool RunUntil(Func<bool> condition, TimeSpan limit)
    {
        Instant end = Now + limit;
        while (!condition())
        {
            Instant next = NextMoment();
            if (next > end)
            {
                Now = end;
                return false;
            }

            Now = next > Now ? next : Now;
            if (_events.TryPeek(out Action? action, out (long At, long) key) && key.At <= Now.Milliseconds)
            {
                _events.Dequeue();
                action();
                continue;
            }

            foreach (SimNode node in _nodes.Values)
                node.FireTimers();
        }

        return true;
    }

    private Instant NextMoment()
    {
        Instant next = _events.TryPeek(out _, out (long At, long) key) ? new Instant(key.At) : Instant.Never;
        foreach (SimNode node in _nodes.Values)
        {
            if (node.NextTimeout is { } due && due < next)
                next = due;
        }

        return next;
    }

    /// <summary>Whether every running node reaches every other running one and no other.</summary>
    public bool AllReachable => _nodes.Values.Where(node => node.IsUp)
        .All(node => node.ReachableNames.SetEquals(_nodes.Values.Where(other => other.IsUp).Select(other => other.Name)));

    /// <summary>For failure messages: the seed and what the nodes logged.</summary>
    public string Trace => $"seed {Seed}, t {Now.Milliseconds}\n" + string.Join('\n', _nodes.Values.Select(
        node => $"--- {node.Name} sees {string.Join(' ', node.ReachableNames)}\n{string.Join('\n', node.Log.Lines.TakeLast(60))}"));
}
