using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;

namespace FastMesh.Native.Tests.Linux;

/// <summary>
/// Runs a test on a thread with a network namespace of its own. The namespace has no name and ends with the thread and its descriptors, so
/// nothing can be left behind. The thread starts no other thread and no process, because those would inherit the namespace and outlive the
/// test; programs are started by the thread that waits for the test.
/// </summary>
internal sealed partial class PrivateNetwork
{
    private const int CLONE_NEWNET = 0x40000000;
    private readonly BlockingCollection<string> _commands = [];
    private readonly BlockingCollection<(string Output, string Error)> _results = [];
    private int _threadId;

    internal static void Run(Action<PrivateNetwork> test)
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "needs root");
        Skip.IfNot(File.Exists("/dev/net/tun"), "there is no /dev/net/tun");
        PrivateNetwork network = new();
        Exception? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                network._threadId = gettid();
                Skip.If(unshare(CLONE_NEWNET) != 0, "no network namespaces here");
                test(network);
            }
            catch (Exception e)
            {
                failure = e;
            }
            finally
            {
                network._commands.CompleteAdding();
            }
        });
        thread.Start();
        foreach (string command in network._commands.GetConsumingEnumerable())
            network._results.Add(network.Execute(command));
        thread.Join();
        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);
    }

    /// <summary>Runs ip(8) in the namespace and returns what it prints.</summary>
    internal string Ip(string arguments)
    {
        _commands.Add(arguments);
        (string output, string error) = _results.Take();
        Assert.True(error.Length == 0, $"ip {arguments}: {error}");
        return output;
    }

    private (string Output, string Error) Execute(string arguments)
    {
        string space = $"/proc/{Environment.ProcessId}/task/{_threadId}/ns/net";
        ProcessStartInfo start = new("nsenter", $"--net={space} ip {arguments}") { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd(); // ip writes little to both
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (output, process.ExitCode == 0 ? "" : $"exit code {process.ExitCode} {error}");
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unshare(int flags);

    [LibraryImport("libc")]
    private static partial int gettid();
}
