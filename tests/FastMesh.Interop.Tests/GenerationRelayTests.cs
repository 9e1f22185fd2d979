using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>Lines of three nodes in every combination: one node of each kind in the middle, nodes of all kinds around it.</summary>
public sealed class GenerationRelayTests
{
    private static readonly (string Name, string Kind)[] s_ends =
    [
        ("old", Programs.Tincd), ("new1", Programs.Tinc11), ("new2", Programs.Tinc11), ("fast10", Programs.FastMesh), ("fast11", Programs.FastMesh11),
    ];

    public static TheoryData<string> Kinds() => [Programs.Tincd, Programs.Tinc11, Programs.FastMesh, Programs.FastMesh11];

    /// <summary>
    /// The ends hang on a segment of their own each, so that any two of them and the middle are a line of three.
    /// </summary>
    /// <remarks>
    /// <code>
    ///   old  ──segment 0──┐
    ///   new1 ──segment 1──┤
    ///   new2 ──segment 2──┼── middle
    ///   fast10 ─segment 3─┤
    ///   fast11 ─segment 4─┘
    /// </code>
    /// </remarks>
    [SkippableTheory, MemberData(nameof(Kinds))]
    public void Any_node_relays_between_any_two_others(string middleKind)
    {
        Programs.SkipUnlessUsable();
        Programs.SkipUnlessTinc11();
        Parallel.Invoke(() => Exercise(middleKind, "router"), () => Exercise(middleKind, "switch"));
    }

    private static void Exercise(string middleKind, string mode)
    {
        using TestNetwork network = new();
        MeshNode middle = network.AddNode("middle", middleKind, 0, 1, 2, 3, 4);
        MeshNode[] ends = [.. s_ends.Select((end, segment) => network.AddNode(end.Name, end.Kind, segment))];
        foreach (MeshNode end in ends) end.ConnectTo(middle);
        foreach (MeshNode node in network.Nodes) node.Settings.Add($"Mode = {mode}");
        network.Start();

        (MeshNode From, MeshNode To)[] lines = [.. ends.SelectMany(_ => ends, (from, to) => (from, to)).Where(line => line.from != line.to)];
        foreach ((MeshNode from, MeshNode to) in lines) network.Until(() => from.Host.CanPing(to.Inner), $"a ping from {from.Name} to {to.Name} in {mode} mode");
        foreach (MeshNode end in ends) network.Until(() => end.Host.CanPing(middle.Inner), $"a ping from {end.Name} to the middle");

        foreach ((MeshNode from, MeshNode to) in lines)
        {
            // tincd 1.1 loses long packets to nodes behind it while it looks for the MTU; then nothing may get lost.
            network.Until(
                () => from.Host.Ping(to.Inner, count: 5).Lost + from.Host.Ping(to.Inner, count: 2, size: 1400).Lost == 0,
                $"seven pings without loss from {from.Name} to {to.Name} by {middleKind} in {mode} mode");
            if (Programs.IsFastMesh(from.Kind)) from.WaitForSession(to, $"(via {middle.Name}|over TCP)");
        }
    }
}
