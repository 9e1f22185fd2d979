namespace FastMesh.Native.Tests;

internal static class AllocationAssert
{
    /// <summary>Fails if a warmed-up action allocates on this thread.</summary>
    internal static void None(Action action)
    {
        for (int i = 0; i < 100; i++)
            action();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++)
            action();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }
}
