namespace FastMesh.Native.Tests;

internal static class AllocationAssert
{
    /// <summary>
    /// Fails if a warmed-up action allocates on this thread. What the runtime allocates once, when it compiles the action anew, counts in one
    /// round; what the action allocates counts in all.
    /// </summary>
    internal static void None(Action action)
    {
        for (int i = 0; i < 100; i++)
            action();
        long least = long.MaxValue;
        for (int round = 0; round < 5 && least > 0; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 1000; i++)
                action();
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }
}
