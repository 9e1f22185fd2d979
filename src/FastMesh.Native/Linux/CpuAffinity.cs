using System.Numerics;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Linux;

/// <summary>Which processors a thread may run on.</summary>
public static unsafe class CpuAffinity
{
    private const int Words = 1024 / 64;

    /// <summary>Processors the calling thread may use now (control groups and taskset respected), ascending; empty if unknown.</summary>
    public static int[] Allowed()
    {
        ulong* mask = stackalloc ulong[Words];
        new Span<ulong>(mask, Words).Clear();
        if (Libc.sched_getaffinity(0, Words * sizeof(ulong), mask) != 0)
            return [];
        List<int> cpus = [];
        for (int word = 0; word < Words; word++)
            for (ulong bits = mask[word]; bits != 0; bits &= bits - 1)
                cpus.Add((word * 64) + BitOperations.TrailingZeroCount(bits));
        return [.. cpus];
    }

    /// <summary>Keeps the calling thread on one processor. Returns 0 or the negated errno (EINVAL: not an allowed one).</summary>
    public static int Pin(int cpu)
    {
        if ((uint)cpu >= Words * 64)
            return -Errno.EINVAL;
        ulong* mask = stackalloc ulong[Words];
        new Span<ulong>(mask, Words).Clear();
        mask[cpu / 64] = 1UL << (cpu % 64);
        return Syscall.Result(Libc.sched_setaffinity(0, Words * sizeof(ulong), mask));
    }
}
