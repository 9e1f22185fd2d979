using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Simulation.Tests;

/// <summary>
/// Meshes of all kinds of nodes, to which happens whatever may: crashes, partitions, machines that sleep, blocked UDP, new addresses, reloads, another
/// program in the same directory, commands of the operator. Some time after it has become quiet everyone reaches everyone.
/// </summary>
public sealed class ChaosTests
{
    private const int Events = 40;
    private static readonly TimeSpan s_second = TimeSpan.FromSeconds(1), s_minute = TimeSpan.FromMinutes(1);

    [Theory]
    [InlineData(17)]
    [InlineData(18)]
    [InlineData(33)]
    [InlineData(101)]
    [InlineData(102)]
    [InlineData(103)]
    [InlineData(104)]
    [InlineData(105)]
    public void After_a_wild_time_everyone_talks_to_everyone(int seed)
    {
        WildNetwork wild = new(seed);
        SimNetwork net = wild.Net;
        net.StartAll().RunFor(5 * s_second);
        for (int i = 0; i < Events; i++)
        {
            wild.Happen();
            wild.Chat();
            net.RunFor(wild.Pause());
        }

        wild.CalmDown();
        Assert.True(net.RunUntil(() => net.AllReachable, 3 * s_minute), $"{wild.Story}\n{net.Trace}");
        net.RunFor(s_minute);
        Assert.True(net.AllReachable, $"{wild.Story}\n{net.Trace}");

        HashSet<(SimNode From, SimNode To)> silent = [.. from one in net.Nodes from other in net.Nodes where one != other select (one, other)];
        for (int round = 0; round < 60 && silent.Count > 0; round++)
        {
            foreach ((SimNode from, SimNode to) in silent)
                from.SendTo(to.Name, $"from {from.Name}");
            net.RunFor(s_second);
            silent.RemoveWhere(static pair => pair.To.Received.Contains($"from {pair.From.Name}"));
        }

        Assert.True(silent.Count == 0, $"{string.Join(", ", silent.Select(pair => $"{pair.From.Name} to {pair.To.Name}"))} get lost\n{wild.Story}\n{net.Trace}");
    }
}

/// <summary>A random mesh and what happens to it.</summary>
internal sealed class WildNetwork
{
    private readonly Random _chance;
    private readonly SimNode[] _nodes;
    private readonly List<(Instant At, Action Act)> _due = [];
    private readonly HashSet<(string, string)> _blocked = [];
    private readonly List<string> _story = [];

    public WildNetwork(int seed)
    {
        _chance = new Random(seed * 7919);
        Net = new SimNetwork(seed) { DebugLevel = 2, Latency = Chance(3) ? 60 : 10, Duplicates = Chance(3) ? 0.05 : 0 };
        Net.BlocksUdp = (from, to) => _blocked.Contains((from.Name, to.Name));
        int count = _chance.Next(4, 9);
        for (int i = 0; i < count; i++)
            Add(i, count);
        _nodes = [.. Net.Nodes];
        foreach (SimNode reader in _nodes)
        {
            foreach (SimNode node in _nodes)
                reader.Directory.Files[node.Name] = node.HostFile with { Weight = 7, Addresses = [At(node.Address), At(Other(node.Address))] };
        }
    }

    public SimNetwork Net { get; }

    /// <summary>For failure messages: who there is, and what happened.</summary>
    public string Story => string.Join('\n', _story);

    /// <summary>Time until the next event.</summary>
    public TimeSpan Pause() => TimeSpan.FromMilliseconds(_chance.Next(6) switch { 0 => 1, 1 => 50, 2 => 300, 3 => 1500, 4 => 4000, _ => 8000 });

    public void Happen()
    {
        foreach ((Instant At, Action Act) due in _due.Where(due => due.At <= Net.Now).ToList())
        {
            _due.Remove(due);
            due.Act();
        }

        SimNode node = Any(), other = Any();
        int what = _chance.Next(14);
        _story.Add($"{Net.Now.Milliseconds} {what} {node.Name} {other.Name}");
        if (what is >= 4 and <= 7 && node.IsUp)
            Operate(what, node, other);
        else if (what is 2 or 3)
            Part();
        else if (what == 10)
            Net.PathMtu = _chance.Next(3) switch { 0 => 1280, 1 => 1400, _ => 1500 };
        else if (what == 11)
            Block(node.Name, other.Name);
        else if (what == 13 && Chance(3))
            Net.Jump(_chance.Next(1, 100) * TimeSpan.FromSeconds(1));
        else if (what is 0 or 1 or 8 or 9 or 12)
            Restart(what, node);
    }

    /// <summary>A few frames between any nodes.</summary>
    public void Chat()
    {
        for (int i = 0; i < 6; i++)
        {
            (SimNode from, SimNode to) = (Any(), Any());
            if (from.IsUp && to != from)
                from.SendTo(to.Name, "chat", Chance(2) ? 0 : 1300);
        }
    }

    /// <summary>Everything works again but UDP where it was blocked.</summary>
    public void CalmDown()
    {
        _due.Clear();
        Net.Heal();
        foreach (SimNode node in _nodes)
            Up(node);
    }

    private void Operate(int what, SimNode node, SimNode other)
    {
        if (what == 4)
        {
            Assert.True(Subnet.TryParse($"10.1.{_chance.Next(9)}.0/24", out Subnet subnet));
            node.Settings = node.Settings with { Subnets = [subnet], KeyExpire = TimeSpan.FromSeconds(_chance.Next(6, 100)) };
        }

        node.Do((mesh, now) =>
        {
            if (what == 4)
                mesh.Reload(node.Settings, now);
            else if (what == 5)
                mesh.Disconnect(other.Name, now);
            else if (what == 6)
                mesh.Purge(now);
            else
                mesh.Retry(now);
        });
    }

    private void Part()
    {
        Net.Part([.. _nodes.Where(_ => Chance(2)).Select(node => node.Name)]);
        _due.Add((Net.Now + TimeSpan.FromSeconds(_chance.Next(1, 30)), Net.Heal));
    }

    private void Block(string from, string to)
    {
        if (!_blocked.Remove((from, to)))
            _blocked.Add((from, to));
        if (Chance(2) && !_blocked.Remove((to, from)))
            _blocked.Add((to, from));
    }

    /// <summary>A crash, another program in the same directory, or another address.</summary>
    private void Restart(int what, SimNode node)
    {
        if (node.IsUp)
            node.Crash(silently: what is 0 or 12);
        if (what is 8 or 9)
            node.Settings = As(!node.Settings.IsFastMesh || node.Settings.Identity is null, node.Settings, node);
        else if (what == 12)
            node.Address = Other(node.Address);
        if (what > 1 || Chance(2))
            Up(node);
        else
            _due.Add((Net.Now + TimeSpan.FromSeconds(_chance.Next(1, 20)), () => Up(node)));
    }

    private void Add(int index, int count)
    {
        string[] dials = index == 0 ? [] : [SimNetwork.NameOf(_chance.Next(index)), .. Chance(2) ? [SimNetwork.NameOf(_chance.Next(count))] : (string[])[]];
        bool isFastMesh = Chance(2), hasEd25519 = Chance(2);
        Assert.True(Subnet.TryParse($"10.0.{index}.0/24", out Subnet subnet));
        Net.Add(SimNetwork.NameOf(index), settings => settings with
        {
            Identity = isFastMesh || hasEd25519 ? SimKeys.Identity(100 + index) : null,
            SpeaksSptps = hasEd25519,
            IsFastMesh = isFastMesh,
            ConnectTo = dials,
            Subnets = [subnet],
            KeyExpire = TimeSpan.FromSeconds(Chance(2) ? 3600 : _chance.Next(6, 40)),
            PingTimeout = TimeSpan.FromSeconds(_chance.Next(2, 6)),
            PingInterval = TimeSpan.FromSeconds(20),
            MaxTimeout = TimeSpan.FromSeconds(30),
            TcpOnly = Chance(10),
            IndirectData = Chance(10),
        });
        _story.Add($"{SimNetwork.NameOf(index)} fastmesh {isFastMesh} ed25519 {hasEd25519} dials {string.Join(' ', dials)}");
    }

    /// <summary>tinc or FastMesh, with the keys that there are.</summary>
    private MeshSettings As(bool isFastMesh, MeshSettings settings, SimNode node) => settings with
    {
        Identity = isFastMesh || settings.SpeaksSptps ? SimKeys.Identity(100 + Array.IndexOf(_nodes, node)) : null,
        IsFastMesh = isFastMesh,
    };

    private static void Up(SimNode node)
    {
        if (!node.IsUp)
            node.Start();
    }

    private SimNode Any() => _nodes[_chance.Next(_nodes.Length)];

    private bool Chance(int oneIn) => _chance.Next(oneIn) == 0;

    private static Endpoint Other(Endpoint address) => Endpoint.FromIPv4(address.IPv4 ^ 0x100, 655);

    private static HostPort At(Endpoint address) => new(address.AddressText, "655");
}
