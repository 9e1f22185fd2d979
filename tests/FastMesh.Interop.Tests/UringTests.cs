using System.Diagnostics;
using System.Runtime.InteropServices;
using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>Two nodes of which at least one moves its packets by io_uring; what arrives is what was sent.</summary>
public sealed class UringTests
{
    public static TheoryData<string, string, string> Matrix()
    {
        TheoryData<string, string, string> rows = [];
        foreach (string mode in new[] { "router", "switch" })
        {
            rows.Add(Programs.FastMesh, Programs.Tincd, mode);
            rows.Add(Programs.FastMesh, Programs.FastMesh, mode);
        }

        return rows;
    }

    [SkippableTheory, MemberData(nameof(Matrix))]
    public void A_pair_carries_pings_and_files_both_ways(string dialler, string listener, string mode)
    {
        SkipUnlessUsable();
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", dialler), beta = network.AddNode("beta", listener);
        foreach (MeshNode node in network.Nodes)
        {
            node.Settings.Add($"Mode = {mode}");
            if (Programs.IsFastMesh(node.Kind))
                node.Arguments.Add("--io=uring");
        }

        alpha.ConnectTo(beta);
        network.Start();
        alpha.WaitForLog("^Packet I/O: io_uring$");
        alpha.WaitForConnection(beta);
        beta.WaitForConnection(alpha);

        network.Until(() => alpha.Host.CanPing(beta.Inner), "the first ping");
        Assert.Equal(0, alpha.Host.Ping(beta.Inner, count: 5).Lost);
        Assert.Equal(0, beta.Host.Ping(alpha.Inner6, count: 5).Lost);
        Assert.Equal(0, alpha.Host.Ping(beta.Inner, count: 3, size: 4000).Lost);
        Transfer(network, alpha, beta, beta.Inner);
        Transfer(network, beta, alpha, $"[{alpha.Inner6}]");
        Assert.Equal(0, alpha.Stop());
        Assert.Equal(0, beta.Stop());
    }

    [SkippableFact]
    public void Several_workers_have_a_ring_each()
    {
        SkipUnlessUsable();
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", Programs.FastMesh), beta = network.AddNode("beta", Programs.FastMesh);
        foreach (MeshNode node in network.Nodes)
            node.Arguments.AddRange(["--io=uring", "--workers=2"]);
        alpha.ConnectTo(beta);
        network.Start();
        network.Until(() => alpha.Host.CanPing(beta.Inner), "the first ping");
        Assert.Equal(0, beta.Host.Ping(alpha.Inner, count: 20).Lost);
        Transfer(network, alpha, beta, beta.Inner);
        Assert.Equal(0, alpha.Stop());
    }

    /// <summary>A file system of its own, in which an empty file lies over the library, stands for a machine without it.</summary>
    [SkippableFact]
    public void Without_liburing_the_wish_for_a_ring_is_an_error_and_nothing_else_is()
    {
        SkipUnlessUsable();
        Skip.IfNot(Programs.IsFastMesh(Programs.FastMesh), "needs FastMesh");
        using TestNetwork network = new();
        MeshNode node = network.AddNode("alone", Programs.FastMesh);
        node.WriteConfiguration();
        string hide = $"mount --bind /dev/null {Library()} && exec ";
        ShellResult uring = node.Host.Try("unshare", "-m", "sh", "-c", hide + string.Join(' ', [.. node.Command, "-D", "--io=uring"]));
        Assert.Equal(1, uring.ExitCode);
        Assert.Contains("io_uring: liburing.so.2 is not installed", uring.Output + uring.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Ready", uring.Output + uring.Error, StringComparison.Ordinal);

        Process auto = node.Host.Start("unshare", "-m", "sh", "-c", hide + string.Join(' ', [.. node.Command, "-D", "--io=auto"]));
        Poll.Until(() => File.Exists(node.PidFile) && node.Host.Try([.. node.Command, "-kALRM"]).ExitCode == 0, () => "it does not start");
        Assert.Equal(0, node.Host.Try([.. node.Command, "-k"]).ExitCode);
        Assert.True(auto.WaitForExit(20_000));
    }

    /// <summary>Sends five megabytes of noise by TCP and compares their hashes.</summary>
    private static void Transfer(TestNetwork network, MeshNode from, MeshNode to, string address)
    {
        string sent = Path.Combine(network.Directory, "sent"), received = Path.Combine(network.Directory, $"received-{to.Name}");
        from.Host.Sh($"head -c 5000000 /dev/urandom > {sent}");
        Process listener = to.Host.Start("socat", "-u", "TCP6-LISTEN:4711,ipv6only=0,reuseaddr", $"CREATE:{received}");
        network.Until(() => to.Host.Sh("ss -Hltn sport = :4711").Length > 0, "the listener");
        from.Host.Run("socat", "-u", $"FILE:{sent}", $"TCP:{address}:4711");
        Assert.True(listener.WaitForExit(20_000), "the transfer does not end");
        Assert.Equal(Hash(from, sent), Hash(to, received));
    }

    private static string Hash(MeshNode node, string file) => node.Host.Sh($"sha256sum < {file}");

    private static string Library() =>
        $"/usr/lib/{(RuntimeInformation.ProcessArchitecture == Architecture.Arm64 ? "aarch64" : "x86_64")}-linux-gnu/liburing.so.2";

    private static void SkipUnlessUsable()
    {
        Programs.SkipUnlessUsable();
        bool isPresent = NativeLibrary.TryLoad("liburing.so.2", out nint library);
        Skip.IfNot(isPresent, "needs liburing2");
        NativeLibrary.Free(library);
        string forbidden = "/proc/sys/kernel/io_uring_disabled";
        Skip.If(File.Exists(forbidden) && File.ReadAllText(forbidden).Trim() == "2", "needs io_uring, which is off here");
    }
}
