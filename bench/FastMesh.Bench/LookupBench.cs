using BenchmarkDotNet.Attributes;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Bench;

/// <summary>Finding the owners of destinations among the subnets of a hundred nodes, and what a change of one subnet costs.</summary>
[MemoryDiagnoser]
public class LookupBench
{
    private const int Nodes = 100, Lookups = 256;
    private readonly SubnetTable _subnets = new();
    private readonly uint[] _ipv4 = new uint[Lookups];
    private readonly UInt128[] _ipv6 = new UInt128[Lookups];
    private readonly byte[] _frame = TestFrames.IPv4(IpProtocol.Udp, 72);
    private Graph _graph = null!;
    private ForwardingTable _table = null!;
    private Node _owner = null!;

    [Params(10, 1000, 100_000)]
    public int Subnets { get; set; } = 10;

    [GlobalSetup]
    public void Setup()
    {
        Random random = new(1);
        _graph = new("self");
        for (int i = 0; i < Nodes; i++)
        {
            Node node = _graph.GetOrAdd($"n{i}");
            _graph.SetEdge(_graph.Self, node, ("192.0.2.1", "655"), EdgeOptions.None, 1);
            _graph.SetEdge(node, _graph.Self, ("192.0.2.2", "655"), EdgeOptions.None, 1);
        }

        _graph.Recompute([], []);
        Node[] owners = [.. _graph.Nodes];
        _owner = owners[1];
        for (int i = 0; i < Subnets / 2; i++)
        {
            // A default route, some wide prefixes, mostly /24 and hosts: what large meshes have.
            uint address = 0x0a00_0000 + (uint)random.Next(1 << 24);
            int length = i == 0 ? 0 : i % 100 == 1 ? 12 + random.Next(10) : i % 3 == 0 ? 32 : 24;
            UInt128 wide = ((UInt128)0xfd << 120) + ((UInt128)address << 64) + (uint)i;
            _subnets.Add(owners[random.Next(owners.Length)], new(SubnetKind.IPv4, address, length, Subnet.DefaultWeight));
            _subnets.Add(owners[random.Next(owners.Length)], new(SubnetKind.IPv6, wide, length == 0 ? 0 : length == 32 ? 128 : 64, Subnet.DefaultWeight));
            (_ipv4[i % Lookups], _ipv6[i % Lookups]) = (address, wide);
        }

        for (int i = Subnets / 2; i < Lookups; i++)
            (_ipv4[i], _ipv6[i]) = (_ipv4[i - (Subnets / 2)], _ipv6[i - (Subnets / 2)]);
        _table = NewTable();
    }

    [Benchmark(OperationsPerInvoke = Lookups)]
    public int IPv4()
    {
        int found = 0;
        foreach (uint address in _ipv4)
            found += _table.FindOwner(address) is null ? 0 : 1;
        return found;
    }

    [Benchmark(OperationsPerInvoke = Lookups)]
    public int IPv6()
    {
        int found = 0;
        foreach (UInt128 address in _ipv6)
            found += _table.FindOwner(address) is null ? 0 : 1;
        return found;
    }

    /// <summary>The whole decision about a frame: headers, lookup, tests.</summary>
    [Benchmark]
    public int Decide() => (int)FrameRouter.Decide(_frame, _table.Self, _table).Action;

    /// <summary>A subnet comes, a subnet goes: two tables. The control plane's work, which may allocate.</summary>
    [Benchmark]
    public ForwardingTable Change()
    {
        Subnet subnet = new(SubnetKind.IPv4, 0xc000_0200, 24, Subnet.DefaultWeight);
        _subnets.Add(_owner, subnet);
        NewTable();
        _subnets.Remove(_owner, subnet);
        return _table = NewTable();
    }

    private ForwardingTable NewTable() => new(new ForwardingOptions(), _graph, _subnets, []);
}
