using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>Going back: FastMesh leaves nothing behind that keeps tincd from running on the same directory.</summary>
public sealed class ReturnTests
{
    [SkippableTheory]
    [InlineData(Programs.FastMesh, Programs.Tincd)]
    [InlineData(Programs.FastMesh11, Programs.Tinc11)]
    public void Tinc_takes_over_from_fastmesh_on_the_same_directory(string kind, string back)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", kind), beta = network.AddNode("beta", kind), gamma = network.AddNode("gamma", back);
        MeshNode[] others = [beta, gamma];
        foreach (MeshNode node in network.Nodes) node.Settings.Add("MaxTimeout = 1");
        alpha.ConnectTo(beta, gamma);
        network.Start();
        foreach (MeshNode other in others) AwaitPings(network, alpha, other);
        if (Programs.IsFastMesh(kind)) beta.WaitForSession(alpha, "direct");
        string[] before = HostFiles(alpha);

        Assert.Equal(0, alpha.Stop());
        Assert.Equal(before, HostFiles(alpha));
        int mark = beta.LogMark();
        alpha.Kind = back;
        alpha.Start();

        foreach (MeshNode other in others) AwaitPings(network, alpha, other);
        if (Programs.IsFastMesh(kind))
        {
            // Only tinc 1.0 does without the Ed25519 key that had been learned.
            if (back == Programs.Tincd) beta.WaitForLog("^alpha has gone back to tinc 1.0: .*/fastmesh/known/alpha$", mark);
            beta.WaitForSession(alpha, "direct", mark);
        }

        Assert.Equal(0, alpha.Host.Ping(beta.Inner, count: 20).Lost);
    }

    /// <summary>Names and contents of what the user wrote about the nodes.</summary>
    private static string[] HostFiles(MeshNode node) =>
        [.. Directory.GetFiles(Path.Combine(node.Directory, "hosts")).Order().Select(file => $"{file}\n{File.ReadAllText(file)}")];

    private static void AwaitPings(TestNetwork network, MeshNode one, MeshNode other)
    {
        network.Until(() => one.Host.CanPing(other.Inner), $"a ping from {one.Name} to {other.Name}");
        network.Until(() => other.Host.CanPing(one.Inner), $"a ping from {other.Name} to {one.Name}");
    }
}
