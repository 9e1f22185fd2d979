using System.Diagnostics;

namespace FastMesh.Interop.Tests.Support;

/// <summary>Waiting for something that another process does. The only place in the suite that sleeps.</summary>
public static class Poll
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    public static bool TryUntil(Func<bool> condition, TimeSpan? limit = null)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            if (Stopwatch.GetElapsedTime(start) > (limit ?? Patience)) return false;
            Thread.Sleep(20);
        }

        return true;
    }

    /// <summary>Fails the test with <paramref name="explain"/> when the condition does not come true in time.</summary>
    public static void Until(Func<bool> condition, Func<string> explain, TimeSpan? limit = null)
    {
        if (!TryUntil(condition, limit)) Assert.Fail(explain());
    }
}
