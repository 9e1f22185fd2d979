using System.Diagnostics;
using FastMesh.Cli.Migration;

namespace FastMesh.Cli.Tests.Migration;

/// <summary>When a daemon is gone, so that another may take its port and device.</summary>
public class RunningDaemonTests
{
    /// <summary>A process whose first thread ends (exit(2), not exit_group(2)), while a second one waits for the end of its input.</summary>
    private const string FirstThreadEnds = """
        import ctypes, sys, threading
        threading.Thread(target=sys.stdin.read).start()
        ctypes.CDLL(None).syscall(60, 0)
        """;

    [SkippableFact]
    public void A_process_lives_as_long_as_any_of_its_threads()
    {
        Skip.IfNot(File.Exists("/usr/bin/python3"), "needs the package python3");
        using Process process = Process.Start(new ProcessStartInfo("/usr/bin/python3", ["-c", FirstThreadEnds]) { RedirectStandardInput = true })!;
        Assert.True(SpinWait.SpinUntil(() => File.ReadAllText($"/proc/{process.Id}/stat").Contains(") Z ", StringComparison.Ordinal), TimeSpan.FromSeconds(30)));
        Assert.True(RunningDaemon.IsAlive(process.Id));

        process.StandardInput.Close();
        Assert.True(RunningDaemon.WaitUntil(() => !RunningDaemon.IsAlive(process.Id), TimeSpan.FromSeconds(30), default));
    }
}
