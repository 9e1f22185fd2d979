using System.Diagnostics;
using FastMesh.Interop.Tests.Support;
using Xunit.Abstractions;

namespace FastMesh.Interop.Tests;

/// <summary>A mesh is moved over to FastMesh node by node while it is in use, and back: every node keeps its configuration directory.</summary>
[Collection(nameof(Undisturbed))]
public sealed class ReplacementTests(ITestOutputHelper output)
{
    /// <summary>The first two are dialled by everyone else.</summary>
    private static readonly string[] s_kinds =
        [Programs.Tincd, Programs.Tinc11, Programs.Tincd, Programs.Tinc11, Programs.Tincd, Programs.Tinc11, Programs.Tincd];

    /// <summary>The two hubs do not follow each other, so that the mesh never loses both.</summary>
    private static readonly int[] s_order = [0, 2, 3, 4, 1, 5, 6];

    /// <summary>
    /// All seven nodes are restarted as FastMesh one after the other, then all as what they were, while others exchange
    /// pings. At the same time a second mesh goes through the same restarts with every program replaced by itself.
    /// </summary>
    [SkippableFact]
    public void Replacing_every_node_by_fastmesh_and_back_loses_no_more_pings_than_restarting_tinc()
    {
        Programs.SkipUnlessUsable();
        Programs.SkipUnlessTinc11();
        PingResult ours = default, reference = default;
        Parallel.Invoke(() => ours = Exercise(FastMeshFor), () => reference = Exercise(kind => kind));
        output.WriteLine($"lost: {ours.Lost} of {ours.Sent} pings with FastMesh, {reference.Lost} of {reference.Sent} with tinc alone");
        Assert.True(ours.Lost <= reference.Lost, $"{ours} with FastMesh, {reference} with tinc alone");
    }

    private static string FastMeshFor(string kind) => Programs.HasEd25519Keys(kind) ? Programs.FastMesh11 : Programs.FastMesh;

    private PingResult Exercise(Func<string, string> replacementFor)
    {
        using TestNetwork network = new();
        MeshNode[] nodes = [.. s_kinds.Select((kind, i) => network.AddNode($"node{i + 1}", kind))];
        foreach (MeshNode node in nodes)
        {
            node.Settings.Add("MaxTimeout = 1");
            node.ConnectTo([.. nodes.Take(2).TakeWhile(hub => hub != node)]);
        }

        network.Start();
        foreach (MeshNode node in nodes) AwaitPings(network, node);

        PingResult total = default;
        foreach (Func<string, string> kindFor in new[] { replacementFor, kind => kind })
        {
            foreach (int i in s_order) total += Replace(network, nodes[i], kindFor(s_kinds[i]));
        }

        return total;
    }

    /// <summary>Three pairs of the others ping from before the node ends until all of them reach its replacement.</summary>
    private PingResult Replace(TestNetwork network, MeshNode node, string kind)
    {
        string step = $"{node.Name} from {node.Kind} to {kind}";
        long start = Stopwatch.GetTimestamp();
        MeshNode[] others = [.. network.Nodes.Where(other => other != node)];
        int[] marks = [.. others.Select(other => other.LogMark())];
        using PingLoad load = new([.. others.Chunk(2).Select(pair => (pair[0].Host, pair[1].Inner))]);
        Assert.Equal(0, node.Stop());
        node.Kind = kind;
        node.Start();
        AwaitPings(network, node);
        foreach ((MeshNode other, int mark) in others.Zip(marks))
        {
            if (other.Peers.Contains(node) || node.Peers.Contains(other)) other.WaitForConnection(node, mark);
        }

        PingResult result = load.Stop();
        output.WriteLine($"{step}: {result.Lost} of {result.Sent} lost in {Stopwatch.GetElapsedTime(start).TotalSeconds:F1} s");
        return result;
    }

    /// <summary>
    /// Until all others reach a node and it reaches them. When keys of two tinc nodes cross on two ways, tincd keeps the
    /// older ones until they expire in an hour: such a pair, and only such a pair, may have one more start.
    /// </summary>
    private void AwaitPings(TestNetwork network, MeshNode node, bool isRestart = false)
    {
        foreach (MeshNode other in network.Nodes.Where(other => other != node))
        {
            bool isOurs = Programs.IsFastMesh(node.Kind) || Programs.IsFastMesh(other.Kind);
            bool Ping() => other.Host.CanPing(node.Inner) && node.Host.CanPing(other.Inner);
            if (isOurs || isRestart)
            {
                network.Until(Ping, $"a ping between {node.Name} ({node.Kind}) and {other.Name} ({other.Kind})");
            }
            else if (!Poll.TryUntil(Ping, TimeSpan.FromSeconds(10)))
            {
                output.WriteLine($"{node.Name} ({node.Kind}) and {other.Name} ({other.Kind}) do not reach each other: started once more");
                node.Stop();
                node.Start();
                AwaitPings(network, node, isRestart: true);
                return;
            }
        }
    }
}
