using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>Two data planes with real devices, each in a network namespace of its own, joined by UDP over loopback.</summary>
public sealed class DataPlaneTests
{
    private static readonly EngineLog s_log = new(NullLoggerFactory.Instance);

    [SkippableTheory]
    [InlineData(DeviceKind.Tun, RoutingMode.Router, 1)]
    [InlineData(DeviceKind.Tap, RoutingMode.Switch, 1)]
    [InlineData(DeviceKind.Tap, RoutingMode.Hub, 1)]
    [InlineData(DeviceKind.Tap, RoutingMode.Router, 1)]
    [InlineData(DeviceKind.Tun, RoutingMode.Router, 2)]
    [InlineData(DeviceKind.Tun, RoutingMode.Router, 1, DataSuite.TincChaCha20Poly1305)]
    [InlineData(DeviceKind.Tap, RoutingMode.Router, 2, DataSuite.Aes256Gcm)]
    public void A_tcp_stream_and_datagrams_cross_two_hosts(DeviceKind kind, RoutingMode mode, int shards, DataSuite? suite = null)
    {
        using End a = new("a", "b", "10.1.0.0/16", kind, mode, shards), b = new("b", "a", "10.2.0.0/16", kind, mode, shards);
        string addressA = mode != RoutingMode.Router ? "10.2.0.77" : "10.1.0.1", addressB = "10.2.0.1";
        a.Connect(b, addressA, addressB, suite);

        // With a deadline, because without one ping waits for the last reply no longer than two round trips.
        string pings = a.Host.Run("ping", "-c", "3", "-i", "0.2", "-w", "5", addressB);
        Assert.True(pings.Contains("3 received", StringComparison.Ordinal), pings);
        CopyOneStream(a.Host, b.Host, addressB, 20_000_000);
        ExchangeDatagrams(a.Host, b.Host, addressB, 200, [1, 64, 500, 1300]);
        Assert.Equal(0, b.Plane.Counters.Drops.Single(drop => drop.Key == nameof(DropReason.BadDatagram)).Value);
        Assert.True(b.Plane.Counters.DeviceBytesOut > 20_000_000);
    }

    /// <summary>Every step down that an older kernel, or --no-offload, may demand (linux-dataplane reference, chapter 8).</summary>
    [SkippableTheory]
    [InlineData(Offloads.All & ~Offloads.TsoEcn)]
    [InlineData(Offloads.All & ~Offloads.Uso)]
    [InlineData(Offloads.All & ~(Offloads.Uso | Offloads.Tso))]
    [InlineData(Offloads.All & ~Offloads.Checksum)]
    [InlineData(Offloads.All & ~Offloads.VnetHeader)]
    [InlineData(Offloads.All & ~Offloads.Gso)]
    [InlineData(Offloads.All & ~Offloads.Gro)]
    [InlineData(Offloads.None)]
    [InlineData(Offloads.None, DeviceKind.Tap)]
    public void With_fewer_offloads_the_same_arrives(Offloads offloads, DeviceKind kind = DeviceKind.Tun)
    {
        RoutingMode mode = kind == DeviceKind.Tap ? RoutingMode.Switch : RoutingMode.Router;
        using End a = new("a", "b", "10.1.0.0/16", kind, mode, 1, offloads), b = new("b", "a", "10.2.0.0/16", kind, mode, 1);
        string addressA = mode != RoutingMode.Router ? "10.2.0.77" : "10.1.0.1", addressB = "10.2.0.1";
        a.Connect(b, addressA, addressB, kind == DeviceKind.Tap ? null : DataSuite.Aes256Gcm);
        CopyOneStream(a.Host, b.Host, addressB, 3_000_000);
        CopyOneStream(b.Host, a.Host, addressA, 3_000_000);
        ExchangeDatagrams(a.Host, b.Host, addressB, 50, [1, 64, 500, 1300]);
        Assert.Equal(0, b.Plane.Counters.Drops.Single(drop => drop.Key == nameof(DropReason.BadDatagram)).Value);
    }

    private static void CopyOneStream(NamespaceThread client, NamespaceThread server, string address, int length)
    {
        byte[] sent = new byte[length];
        new Random(7).NextBytes(sent);
        using Socket listener = server.Call(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        listener.Bind(new IPEndPoint(IPAddress.Any, 7000));
        listener.Listen();
        Task<byte[]> received = Task.Run(() =>
        {
            using Socket peer = listener.Accept();
            byte[] bytes = new byte[length];
            for (int at = 0, n = 1; at < length && n > 0; at += n)
                n = peer.Receive(bytes.AsSpan(at));
            return bytes;
        });
        using Socket sender = client.Call(() => new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp));
        sender.Connect(address, 7000);
        for (int at = 0; at < length;)
            at += sender.Send(sent.AsSpan(at));
        Assert.True(received.Wait(TimeSpan.FromSeconds(30)), "the stream did not arrive");
        Assert.True(sent.AsSpan().SequenceEqual(received.Result));
    }

    private static void ExchangeDatagrams(NamespaceThread client, NamespaceThread server, string address, int count, int[] sizes)
    {
        using Socket echo = server.Call(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        echo.Bind(new IPEndPoint(IPAddress.Any, 7001));
        using Socket asker = client.Call(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        asker.Connect(address, 7001);
        asker.ReceiveTimeout = echo.ReceiveTimeout = 5000;
        byte[] question = new byte[2000], answer = new byte[2000];
        for (int i = 0; i < count; i++)
        {
            int size = sizes[i % sizes.Length];
            question.AsSpan(0, size).Fill((byte)i);
            asker.Send(question.AsSpan(0, size));
            EndPoint from = new IPEndPoint(IPAddress.Any, 0);
            int length = echo.ReceiveFrom(answer, ref from);
            echo.SendTo(answer.AsSpan(0, length), from);
            Assert.Equal(size, asker.Receive(answer));
            Assert.True(answer.AsSpan(0, size).SequenceEqual(question.AsSpan(0, size)));
        }
    }

    [SkippableFact]
    public void Shards_that_turn_answer_the_roll_call_asleep_or_not()
    {
        using End end = new("roll", "nobody", "10.1.0.0/16", DeviceKind.Tun, RoutingMode.Router, shards: 2);
        end.Start("10.1.0.1", "10.1.0.2");
        Assert.True(end.Plane.HaveTurned());
        for (int i = 0; i < 3; i++)
            Assert.True(SpinWait.SpinUntil(end.Plane.HaveTurned, TimeSpan.FromSeconds(30)));
    }

    [SkippableFact]
    public void A_shard_that_does_not_come_to_the_end_of_a_turn_misses_the_roll_call()
    {
        using End end = new("hang", "nobody", "10.1.0.0/16", DeviceKind.Tun, RoutingMode.Router, shards: 1);
        using ManualResetEventSlim entered = new(), gate = new();
        end.Start("10.1.0.1", "10.1.0.2");
        end.AtTurn = () =>
        {
            entered.Set();
            gate.Wait();
        };
        end.Plane.HaveTurned();
        Assert.True(entered.Wait(TimeSpan.FromSeconds(30)));
        end.Plane.HaveTurned();
        Assert.False(end.Plane.HaveTurned());
        end.AtTurn = null;
        gate.Set();
        Assert.True(SpinWait.SpinUntil(end.Plane.HaveTurned, TimeSpan.FromSeconds(30)));
    }

    /// <summary>One host: a namespace, a device in it, a data plane whose sockets are on the loopback outside.</summary>
    private sealed class End : IDisposable
    {
        private readonly TestNetwork _network;
        private readonly Node _peer;
        private readonly VpnDevice _device;
        private readonly UdpListener _listener;
        private readonly int _shards;

        public End(string name, string peer, string subnet, DeviceKind kind, RoutingMode mode, int shards, Offloads offloads = Offloads.All)
        {
            Host = new();
            _shards = shards;
            _device = Host.Call(() => VpnDevice.Open(new DeviceSettings { Kind = kind, Interface = "fm" + name }, shards, offloads));
            _listener = UdpListener.Open(Endpoint.FromIPv4(0x7f000001, 0), new UdpSettings(), shards, offloads);
            _network = new(name) { Options = new() { Mode = mode } };
            if (mode == RoutingMode.Router)
                _network.Own(_network.Self, subnet);
            _peer = mode == RoutingMode.Router
                ? _network.Neighbour(peer, subnet == "10.1.0.0/16" ? "10.2.0.0/16" : "10.1.0.0/16")
                : _network.Neighbour(peer);
            Plane = new DataPlane(new DataPlaneSettings { Shards = shards, Offloads = offloads }, _device, [_listener], Now, s_log);
        }

        public NamespaceThread Host { get; }

        public DataPlane Plane { get; }

        /// <summary>What a shard does when it begins a turn.</summary>
        public Action? AtTurn { get; set; }

        public void Connect(End other, string own, string others, DataSuite? suite)
        {
            (_peer.Address, other._peer.Address) = (other._listener.Local, _listener.Local);
            _peer.OnSpanningTree = other._peer.OnSpanningTree = true;
            if (suite is { } aead)
                TestNetwork.Pair(_peer, other._peer, aead, ownerA: _shards - 1, ownerB: 0);
            else
                TestNetwork.Pair(_peer, other._peer, LegacySuite.Default, ownerA: _shards - 1, ownerB: 0);
            Start(own, others);
            other.Start(others, own);
        }

        private Instant Now()
        {
            AtTurn?.Invoke();
            return new(Stopwatch.GetTimestamp() * 1000 / Stopwatch.Frequency);
        }

        public void Dispose()
        {
            Plane.Dispose();
            _device.Dispose();
            _listener.Dispose();
            Host.Dispose();
        }

        public void Start(string own, string others)
        {
            Plane.Start(_network.Build());
            Host.Run("ip", "address", "add", own + "/16", "dev", _device.Interface);
            Host.Run("ip", "link", "set", _device.Interface, "up", "mtu", "1400");
            if (own[..4] != others[..4])
                Host.Run("ip", "route", "add", others + "/32", "dev", _device.Interface);
        }
    }
}
