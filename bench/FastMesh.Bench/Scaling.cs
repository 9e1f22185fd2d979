using System.Diagnostics;
using System.Globalization;

namespace FastMesh.Bench;

/// <summary>
/// How much more two shards of one node carry than one, without a kernel, with a peer each and with the same FastMesh peer, each in its lane: both directions
/// of a tunnel on one thread, then on two threads at once, again and again in short turns. The best pair counts, because on a busy machine the second processor is somebody else's most of the time.
/// Not with tinc 1.0, whose pauses two shards would make at the same time.
/// </summary>
internal static class Scaling
{
    private const int Rounds = 15;
    private const double Turn = 0.05; // seconds

    public static void Run()
    {
        foreach (string load in (string[])[ShardBench.Super, ShardBench.Small])
        {
            foreach (string session in (string[])[Sessions.Aes, Sessions.Sptps])
                ReportTwoPeers(session, load);
            foreach (string session in (string[])[Sessions.Aes, Sessions.ChaCha])
                ReportLanes(session, load);
        }
    }

    private static void ReportTwoPeers(string session, string load)
    {
        BenchMesh sender = new("left", "right", "other");
        using ShardBench first = new() { Session = session, Load = load, Sender = sender },
            second = new() { Session = session, Load = load, Sender = sender, Peer = 1 };
        first.Pair();
        second.Pair();
        Report($"{session} with two peers", load, first, second);
    }

    private static void ReportLanes(string session, string load)
    {
        BenchMesh sender = new("left", "right");
        using ShardBench first = new() { Session = session, Load = load, Sender = sender },
            second = new() { Session = session, Load = load, Sender = sender, Index = 1 };
        first.Pair(lanes: 2);
        second.Share(first);
        Report($"{session} with one peer", load, first, second);
    }

    private static void Report(string name, string load, ShardBench first, ShardBench second)
    {
        first.Setup();
        second.Setup();
        double[] ratios = new double[Rounds];
        double one = 0, two = 0;
        Carry([first, second], 0.3);
        for (int i = 0; i < Rounds; i++)
        {
            double alone = Carry([first], Turn), together = Carry([first, second], Turn);
            (one, two, ratios[i]) = (Math.Max(one, alone), Math.Max(two, together), together / alone);
        }

        Array.Sort(ratios);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{name,-21} {load,-6} one shard {one / 1e6,6:F2}, two {two / 1e6,6:F2} million packets/s: best {two / one:F2} x, median of pairs {ratios[Rounds / 2]:F2} x"));
    }

    /// <summary>Packets per second that one thread for each shard carries out and in.</summary>
    private static double Carry(ShardBench[] shards, double seconds)
    {
        using Barrier barrier = new(shards.Length);
        double[] rates = new double[shards.Length * 16]; // far apart from each other
        Thread[] threads = [.. shards.Select((shard, index) => new Thread(() =>
        {
            barrier.SignalAndWait();
            long start = Stopwatch.GetTimestamp(), end = start + (long)(seconds * Stopwatch.Frequency), now, packets = 0;
            do
            {
                shard.Out();
                shard.In();
                packets += 2 * shard.Packets;
                now = Stopwatch.GetTimestamp();
            }
            while (now < end);
            rates[index * 16] = packets / ((now - start) / (double)Stopwatch.Frequency);
        }))];
        Array.ForEach(threads, static thread => thread.Start());
        Array.ForEach(threads, static thread => thread.Join());
        return rates.Sum();
    }
}
