using System.Collections.Concurrent;
using System.Diagnostics;
using System.Runtime.InteropServices;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>
/// A thread in a network namespace of its own, which has no name and ends with the thread and what was opened on it. Skips the test without
/// the right to make one.
/// </summary>
internal sealed partial class NamespaceThread : IDisposable
{
    private const int NewNet = 0x40000000; // CLONE_NEWNET
    private readonly BlockingCollection<Action> _work = [];
    private readonly Thread _thread;

    public NamespaceThread()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "needs root for a network namespace");
        Skip.IfNot(File.Exists("/dev/net/tun"), "needs /dev/net/tun");
        TaskCompletionSource<int> entered = new();
        _thread = new Thread(() =>
        {
            entered.SetResult(unshare(NewNet));
            foreach (Action action in _work.GetConsumingEnumerable())
                action();
        })
        { IsBackground = true };
        _thread.Start();
        Skip.If(entered.Task.Result != 0, "may not make a network namespace");
        Run("ip", "link", "set", "lo", "up");
    }

    /// <summary>Runs a function on the thread.</summary>
    public T Call<T>(Func<T> function) => Begin(function).Result;

    /// <summary>Starts a function on the thread.</summary>
    public Task<T> Begin<T>(Func<T> function)
    {
        TaskCompletionSource<T> done = new(TaskCreationOptions.RunContinuationsAsynchronously);
        _work.Add(() =>
        {
            try
            {
                done.SetResult(function());
            }
            catch (Exception e)
            {
                done.SetException(e);
            }
        });
        return done.Task;
    }

    /// <summary>Runs a program in the namespace; fails the test if the program fails. Returns what it wrote.</summary>
    public string Run(string program, params string[] arguments) => Call(() =>
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        string output = process.StandardOutput.ReadToEnd() + process.StandardError.ReadToEnd();
        process.WaitForExit();
        Assert.True(process.ExitCode == 0, $"{program} {string.Join(' ', arguments)}: {output}");
        return output;
    });

    public void Dispose()
    {
        _work.CompleteAdding();
        _thread.Join();
        _work.Dispose();
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial int unshare(int flags);
}
