using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>AutoConnect with nodes of tinc 1.1, and the addresses that are kept of them (tinc 1.1 reference, 9.1, 9.2).</summary>
public sealed class AutoConnectTests
{
    [SkippableFact]
    public void A_node_without_ConnectTo_connects_by_itself_and_finds_a_node_again_whose_Address_is_gone()
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", Programs.Tinc11), beta = network.AddNode("beta", Programs.Tinc11), gamma = network.AddNode("gamma", Programs.Tinc11);
        MeshNode delta = network.AddNode("delta", Programs.FastMesh11);
        beta.ConnectTo(alpha);
        gamma.ConnectTo(alpha);
        delta.AutoConnects = true;
        string cache = Directory.CreateDirectory(Path.Combine(delta.Directory, "cache")).FullName; // as tinc init does; tincd does not
        network.Start();
        foreach (MeshNode node in new[] { alpha, beta, gamma })
        {
            delta.WaitForLog($"^Autoconnecting to {node.Name}$");
            delta.WaitForConnection(node);
        }

        network.Until(() => delta.Host.CanPing(gamma.Inner), "a ping");
        delta.Stop();

        alpha.Addresses = [];
        delta.WriteHostFile(alpha);
        delta.AutoConnects = false;
        delta.ConnectTo(alpha);
        int mark = delta.LogMark();
        delta.Start();
        delta.WaitForConnection(alpha, mark);
        if (Programs.IsReferenceOnly) return;

        // tinc 1.1 takes the directory over as if FastMesh had never been there.
        delta.Stop();
        Assert.Empty(Directory.GetFileSystemEntries(cache));
        alpha.Addresses = null;
        delta.WriteHostFile(alpha);
        delta.Kind = Programs.Tinc11;
        mark = delta.LogMark();
        delta.Start();
        delta.WaitForConnection(alpha, mark);
    }
}
