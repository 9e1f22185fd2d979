using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using BenchmarkDotNet.Attributes;
using FastMesh.Engine;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.Daemon.Status;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastMesh.Bench;

/// <summary>
/// A snapshot of a daemon in a mesh of a thousand nodes, all reachable and with keys, each with a subnet and two edges: what the control loop does for
/// every scrape, and for every <c>status</c>, whose answer it also writes.
/// </summary>
[MemoryDiagnoser]
public sealed class StatusBench : IDisposable
{
    private const int Nodes = 1000;
    private readonly string _directory = Directory.CreateTempSubdirectory("fastmesh-bench-").FullName;
    private readonly EngineLog _log = new(NullLoggerFactory.Instance);
    private readonly List<IDisposable> _parts = [];
    private StatusSource _source = null!;

    [GlobalSetup]
    public void Setup()
    {
        if (!RsaIdentity.TryFromPem(RsaKeyPair.Generate(1024).PrivatePem, out RsaIdentity? key, out string reason))
            throw new InvalidOperationException(reason);
        DaemonOptions options = new()
        {
            ConfigDirectory = _directory,
            Mesh = new MeshSettings { Name = "self", Key = key, BypassSecurity = true, Port = "0", AddressFamily = AddressFamilyChoice.IPv4 },
            Peers = new NoPeers(),
            Device = new DeviceSettings { Kind = DeviceKind.Dummy, Device = "dummy", Interface = "dummy" },
            BindToAddress = [new("127.0.0.1", "0")],
        };
        Mesh mesh = new(options.Mesh, options.Peers, new SystemRandom(), _log);
        VpnDevice device = Own(VpnDevice.Open(options.Device, 1, Offloads.None));
        Listeners listeners = Own(Listeners.Open(options, 0, _log));
        DataPlane plane = Own(new DataPlane(options.DataPlane, device, listeners.Udp, () => MonotonicClock.Now, _log));
        ControlLoopParts parts = new(
            mesh, plane, device, Own(new Provisioning(device, recordPath: null, _log)), listeners, Own(new Scripts(_directory, [], _log)), null!, null!, null, null, null!);
        MetaSockets sockets = Own(new MetaSockets(mesh, Own(new Epoll(1)), 0, options, listeners, _log));
        _source = new StatusSource(parts, sockets, new NoConsole(), () => options, new TimeHistogram(ControlLoop.ShortestTurn), MonotonicClock.Now);
        plane.Start(Learn(mesh));
        DaemonStatus status = _source.Take(MonotonicClock.Now);
        if (status.Nodes.Count(node => node is { Reachable: true, Session: not null }) != Nodes - 1)
            throw new InvalidOperationException($"{status.Nodes.Count} nodes, {status.Nodes.Count(node => node.Reachable)} reachable, {status.Nodes.Count(node => node.Session is not null)} with keys");
    }

    /// <summary>For a scrape: the text is written by another thread.</summary>
    [Benchmark]
    public int Take() => _source.Take(MonotonicClock.Now).Nodes.Count;

    /// <summary>For <c>status</c>.</summary>
    [Benchmark]
    public int Answer() => ControlText.Status(_source.Take(MonotonicClock.Now)).Length;

    [GlobalCleanup]
    public void Dispose()
    {
        for (; _parts.Count > 0; _parts.RemoveAt(_parts.Count - 1))
            _parts[^1].Dispose();
        if (Directory.Exists(_directory))
            Directory.Delete(_directory, recursive: true);
    }

    /// <summary>A neighbour that speaks plain text, as with --bypass-security, tells of all the others.</summary>
    private static ForwardingTable Learn(Mesh mesh)
    {
        Instant now = MonotonicClock.Now;
        mesh.Start(now);
        ConnectionId hub = mesh.HandleAccepted(Endpoint.FromIPv4(0xc0000202, 50000), now);
        Say("0 hub 17", "4 655 10 c", "12 1 hub self 192.0.2.1 655 c 10");
        string random = Convert.ToHexString(new byte[48]);
        for (int i = 0; i < Nodes - 2; i++)
        {
            string name = string.Create(CultureInfo.InvariantCulture, $"n{i:d4}"), address = string.Create(CultureInfo.InvariantCulture, $"198.51.{i / 250}.{1 + (i % 250)}");
            Say($"12 {2 * i:x} hub {name} {address} 655 c 10", $"12 {(2 * i) + 1:x} {name} hub 192.0.2.2 655 c 10",
                string.Create(CultureInfo.InvariantCulture, $"10 {i:x} {name} 10.{i / 250}.{i % 250}.0/24"));
        }

        foreach (Node node in mesh.NodeRows().Select(row => row.Node).Where(node => node != mesh.OwnNode).ToArray())
            Say($"16 {node.Name} self {random} 427 672 4 0");
        return mesh.TryTakeTable(out ForwardingTable? table) ? table : throw new InvalidOperationException("no table");

        void Say(params ReadOnlySpan<string> lines)
        {
            foreach (string line in lines)
                mesh.HandleMeta(hub, Encoding.ASCII.GetBytes(line + "\n"), now);
            while (mesh.TryTakeAction(out MeshAction? action))
            {
                if (action is MeshAction.Send)
                    mesh.HandleSent(hub, mesh.PendingOutput(hub).Length, now);
            }
        }
    }

    private T Own<T>(T part)
        where T : IDisposable
    {
        _parts.Add(part);
        return part;
    }

    private sealed class NoPeers : IPeerDirectory
    {
        public IReadOnlyList<string> Names => [];

        public bool TryRead(string name, [NotNullWhen(true)] out PeerSettings? peer)
        {
            peer = name == "hub" ? new() : null;
            return peer is not null;
        }
    }

    private sealed class NoConsole : IDaemonConsole
    {
        public int DebugLevel { get; set; }

        public LogTap Tap { get; } = new();

        public void ReopenLog()
        {
        }
    }
}
