using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using FastMesh.Interop.Tests.Support;
using Xunit.Abstractions;

namespace FastMesh.Interop.Tests;

/// <summary>
/// Everything at once for FASTMESH_SOAK_SECONDS (perf-scripts/soak.sh for minutes): TCP, UDP and pings, direct and relayed, while keys change, the relay is
/// restarted, the path's MTU changes and the processors are kept busy.
/// </summary>
/// <remarks>
/// <code>
///   alpha ──┐
///           segment 0 ── beta ──segment 1── gamma
///   delta ──┘
/// </code>
/// </remarks>
[Collection(nameof(Undisturbed))]
public sealed class SoakTests(ITestOutputHelper output)
{
    private const int FloodPackets = 4000, FloodBytes = 700;
    private const long MostGrowth = 48 << 20, MostMemory = 400 << 20;
    private static readonly TimeSpan s_duration = TimeSpan.FromSeconds(
        int.Parse(Environment.GetEnvironmentVariable("FASTMESH_SOAK_SECONDS") ?? "15", CultureInfo.InvariantCulture));

    /// <summary>What the daemons are started with besides.</summary>
    private static readonly string[] s_arguments =
        (Environment.GetEnvironmentVariable("FASTMESH_SOAK_ARGUMENTS") ?? "").Split(' ', StringSplitOptions.RemoveEmptyEntries);

    private long _start, _streamed, _datagrams, _resent;
    private int _seed = Environment.TickCount;

    [SkippableFact]
    public void Mixed_traffic_survives_rekeys_restarts_and_changes_of_the_path()
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", Programs.FastMesh, 0), beta = network.AddNode("beta", Programs.FastMesh, 0, 1);
        MeshNode gamma = network.AddNode("gamma", Programs.FastMesh, 1), delta = network.AddNode("delta", Programs.FastMesh, 0);
        foreach (MeshNode node in network.Nodes)
        {
            node.Settings.Add("KeyExpire = 4");
            node.Arguments.AddRange(s_arguments);
        }

        beta.ConnectTo(alpha, gamma);
        delta.ConnectTo(alpha);
        network.Start();
        network.Until(() => alpha.Host.CanPing(gamma.Inner) && alpha.Host.CanPing(delta.Inner) && gamma.Host.CanPing(delta.Inner6), "the first pings");
        alpha.WaitForUdp(delta);

        Losses before = Losses.Of([.. network.Nodes]);
        _start = Stopwatch.GetTimestamp();
        output.WriteLine($"seed {_seed}, {s_duration.TotalSeconds} s");
        long settled = 0; // memory after the first seconds of traffic
        using (PingLoad pings = new((alpha.Host, delta.Inner), (gamma.Host, alpha.Inner6), (delta.Host, gamma.Inner)))
        {
            Transfer.Together(
                () => Repeat(seed => Stream(alpha, delta, delta.Inner, seed)),
                () => Repeat(seed => Stream(gamma, alpha, alpha.Inner, seed)),
                () => Repeat(seed => Stream(alpha, gamma, gamma.Inner6, seed)),
                () => Repeat(seed => Datagrams(alpha, gamma, gamma.Inner, 5000, seed)),
                () => Repeat(seed => Datagrams(gamma, delta, delta.Inner6, 1400, seed)),
                () => Repeat(seed => Datagrams(delta, alpha, alpha.Inner, 200, seed)),
                () => Disturb(network, beta, () => settled = settled == 0 ? Memory(alpha) : settled));
            PingResult result = pings.Stop();
            output.WriteLine($"pings: {result.Sent}, lost {result.Lost}");
            Assert.True(result.Received > result.Sent / 4, $"{result.Lost} of {result.Sent} pings were lost");
        }

        output.WriteLine($"TCP: {_streamed / 1e6:0} MB, UDP: {_datagrams} datagrams, {_resent} sent again; every byte as sent");
        foreach (MeshNode node in network.Nodes) output.WriteLine($"{node.Name}: {Memory(node) >> 20} MB, {DataCounters.Of(node)}");
        output.WriteLine($"all losses: {Losses.Of([.. network.Nodes]).Since(before)}");
        long memory = Memory(alpha);
        Assert.InRange(memory, 0, Math.Min(MostMemory, settled + MostGrowth));
        foreach (MeshNode node in network.Nodes) Assert.True(node.IsRunning, $"{node.Name} has ended\n{node.LogTail(25)}");

        WaitForQuiet(network, alpha, gamma);
        AssertLossesAreExplained(alpha, delta, delta);
        AssertLossesAreExplained(alpha, gamma, beta, gamma);
    }

    private void Repeat(Action<int> transfer)
    {
        while (Stopwatch.GetElapsedTime(_start) < s_duration) transfer(Interlocked.Add(ref _seed, 10));
    }

    private void Stream(MeshNode from, MeshNode to, string address, int seed)
    {
        int forth = new Random(seed).Next(1, 4_000_000), back = seed % 3 == 0 ? forth / 2 : 0;
        Transfer.Stream(from.Host, to.Host, address, forth, back, seed);
        Interlocked.Add(ref _streamed, forth + back);
    }

    private void Datagrams(MeshNode from, MeshNode to, string address, int longest, int seed)
    {
        Interlocked.Add(ref _resent, Transfer.Datagrams(from.Host, to.Host, address, 160, longest, seed));
        Interlocked.Add(ref _datagrams, 160);
    }

    /// <summary>One disturbance after the other: the path's MTU, busy processors, a restart of the relay.</summary>
    private void Disturb(TestNetwork network, MeshNode relay, Action settled)
    {
        MeshNode[] ends = [.. network.Nodes.Where(node => node.Host.Segments.Contains(0))];
        int[] mtus = [1400, 1500, 1300, 1500];
        for (int round = 0; Pause(2); round++)
        {
            switch (round % 4)
            {
                case 0 or 2:
                    foreach (MeshNode node in ends) node.Host.SetMtu(mtus[round / 2 % mtus.Length]);
                    break;
                case 1:
                    settled();
                    Transfer.Together([.. Enumerable.Repeat(Burn, Environment.ProcessorCount)]);
                    break;
                default:
                    if (round > 4 && round % 8 != 7) break; // not so often that nothing else happens
                    Assert.Equal(0, relay.Stop());
                    relay.Start();
                    break;
            }
        }
    }

    private void Burn()
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start) < TimeSpan.FromSeconds(1)) Thread.SpinWait(1000);
    }

    /// <summary>False when the time is over.</summary>
    private bool Pause(int seconds)
    {
        long start = Stopwatch.GetTimestamp();
        Poll.TryUntil(() => Stopwatch.GetElapsedTime(start) > TimeSpan.FromSeconds(seconds) || Stopwatch.GetElapsedTime(_start) > s_duration, TimeSpan.FromMinutes(1));
        return Stopwatch.GetElapsedTime(_start) < s_duration;
    }

    /// <summary>The path's last MTU has been found and the relay carries datagrams again.</summary>
    private static void WaitForQuiet(TestNetwork network, MeshNode alpha, MeshNode gamma)
    {
        foreach (MeshNode node in network.Nodes.Where(node => node.Host.Segments.Contains(0))) node.Host.SetMtu(1500);
        network.Until(() => alpha.Host.Ping(gamma.Inner, count: 10, size: 1000).Lost == 0, "ten pings without loss");
    }

    /// <summary>A flood of datagrams: those that do not arrive are in a counter of a node or of a kernel on the way.</summary>
    private void AssertLossesAreExplained(MeshNode from, MeshNode to, params MeshNode[] others)
    {
        using Socket receiver = NetworkNamespace.Run(to.Host, () => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        receiver.Bind(new IPEndPoint(IPAddress.Parse(to.Inner), 0));
        using Socket sender = NetworkNamespace.Run(from.Host, () => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        sender.Connect(receiver.LocalEndPoint!);
        Losses before = Losses.Of([from, .. others]);
        int received = 0;
        Task reading = Task.Run(() =>
        {
            byte[] buffer = new byte[2000];
            while (received < FloodPackets && receiver.Poll(TimeSpan.FromSeconds(2), SelectMode.SelectRead))
            {
                receiver.Receive(buffer);
                received++;
            }
        });
        byte[] datagram = new byte[FloodBytes];
        for (int i = 0; i < FloodPackets; i++) sender.Send(datagram);
        reading.Wait();
        Losses lost = Losses.Of([from, .. others]).Since(before);
        string found = $"flood from {from.Name} to {to.Name}: {FloodPackets - received} of {FloodPackets} lost; counted: {lost}";
        output.WriteLine(found);
        Assert.True(FloodPackets - received <= lost.Total, found);
    }

    /// <summary>Resident bytes.</summary>
    private static long Memory(MeshNode node)
    {
        using Process process = Process.GetProcessById(node.ProcessId);
        return process.WorkingSet64;
    }
}
