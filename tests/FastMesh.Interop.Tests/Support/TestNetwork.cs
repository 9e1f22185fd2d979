using System.Globalization;
using System.Text;

namespace FastMesh.Interop.Tests.Support;

/// <summary>
/// A small Internet of network namespaces: hosts hang on one or more segments, each a bridge of its own.
/// Dispose ends every process in it and removes every namespace, also after a failed test.
/// </summary>
/// <remarks>
/// <code>
///   alpha  .1 ──┐                 ┌── .3  gamma
///               segment 0 ── beta ── segment 1
///   192.0.2.0/24, 2001:db8:0::/64    198.51.100.0/24, 2001:db8:1::/64
/// </code>
/// </remarks>
public sealed class TestNetwork : IDisposable
{
    private static int s_count;
    private readonly string _prefix = string.Create(CultureInfo.InvariantCulture, $"fm{Environment.ProcessId}x{Interlocked.Increment(ref s_count)}");
    private readonly List<NetworkHost> _hosts = [];
    private readonly List<MeshNode> _nodes = [];
    private readonly HashSet<int> _segments = [];

    public TestNetwork()
    {
        Programs.SkipUnlessUsable();
        Directory = System.IO.Directory.CreateTempSubdirectory("fastmesh-").FullName;
        Shell.Run("ip", "netns", "add", SwitchNamespace);
    }

    /// <summary>Scratch space that goes away with the network.</summary>
    public string Directory { get; }

    public IReadOnlyList<MeshNode> Nodes => _nodes;

    private string SwitchNamespace => _prefix + "-switch";

    /// <summary>Adds a host with the next free number; its last address byte is that number.</summary>
    public NetworkHost AddHost(string name, params int[] segments)
    {
        NetworkHost host = new(this, name, $"{_prefix}-{name}", _hosts.Count + 1, segments.Length == 0 ? [0] : segments);
        Shell.Run("ip", "netns", "add", host.Namespace);
        _hosts.Add(host);
        StringBuilder script = new($"""
            set -e
            ip -n {host.Namespace} link set lo up
            nsenter --net=/run/netns/{host.Namespace} sh -c 'echo 0 >/proc/sys/net/ipv6/conf/default/accept_dad; echo 0 >/proc/sys/net/ipv6/conf/default/router_solicitations'

            """);
        foreach (int segment in host.Segments)
        {
            if (_segments.Add(segment)) script.Append(AddBridge(segment));
            script.Append(AddPort(host, segment));
        }

        Shell.Run("sh", "-c", script.ToString());
        return host;
    }

    /// <summary>Adds a host that runs a daemon of the given kind.</summary>
    public MeshNode AddNode(string name, string kind, params int[] segments)
    {
        if (Programs.HasEd25519Keys(kind)) Programs.SkipUnlessTinc11();
        MeshNode node = new(AddHost(name, segments), name, kind);
        _nodes.Add(node);
        return node;
    }

    /// <summary>Gives every node the host files of all nodes.</summary>
    public void ExchangeHostFiles()
    {
        foreach (MeshNode reader in _nodes)
        {
            foreach (MeshNode node in _nodes) reader.WriteHostFile(node);
        }
    }

    /// <summary>Starts all nodes; those that only listen come first, so that no dialler has to wait for its back-off.</summary>
    public void Start()
    {
        ExchangeHostFiles();
        foreach (MeshNode node in _nodes.OrderBy(node => node.Dials)) node.Start();
    }

    /// <summary>Waits for a condition and shows the end of every log when it does not come, or when a daemon has aborted.</summary>
    public void Until(Func<bool> condition, string what, TimeSpan? limit = null)
    {
        bool happened = false;
        Poll.TryUntil(() => (happened = condition()) || _nodes.Exists(node => node.HasAborted), limit);
        Assert.True(happened, $"{what} did not happen.\n{LogTails()}");
    }

    /// <summary>The last lines of every daemon's log.</summary>
    public string LogTails() => string.Concat(_nodes.Select(node => $"--- {node.Name} ({node.Kind})\n{node.LogTail(25)}\n"));

    public void Dispose()
    {
        foreach (MeshNode node in _nodes) node.Dispose();
        foreach (NetworkHost host in _hosts) host.Dispose();
        foreach (string name in _hosts.Select(host => host.Namespace).Append(SwitchNamespace))
        {
            Shell.Try("sh", "-c", $"for p in $(ip netns pids {name}); do kill -9 $p; done; ip netns del {name}");
        }

        System.IO.Directory.Delete(Directory, recursive: true);
    }

    private string AddBridge(int segment) => $"""
        ip -n {SwitchNamespace} link add br{segment} type bridge
        ip -n {SwitchNamespace} link set br{segment} up

        """;

    private string AddPort(NetworkHost host, int segment) => $"""
        ip link add eth{segment} netns {host.Namespace} type veth peer name p{host.Number}s{segment} netns {SwitchNamespace}
        ip -n {SwitchNamespace} link set p{host.Number}s{segment} master br{segment} up
        ip -n {host.Namespace} addr add {host.Address(segment)}/24 dev eth{segment}
        ip -n {host.Namespace} addr add {host.Address6(segment)}/64 dev eth{segment} nodad
        ip -n {host.Namespace} link set eth{segment} up

        """;
}
