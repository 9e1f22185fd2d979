using System.Runtime.InteropServices;

namespace FastMesh.Native.Linux;

/// <summary>The one place that reads errno and decides about EINTR (the runtime interrupts threads by signal to suspend them).</summary>
internal static class Syscall
{
    /// <summary>
    /// Turns the result of the libc call just made into a count or negated errno, and says whether it must be made again:
    /// <c>while (Syscall.Interrupted(Libc.read(...), out int n)) { }</c>.
    /// </summary>
    internal static bool Interrupted(nint result, out int outcome)
    {
        if (result >= 0)
        {
            outcome = (int)result;
            return false;
        }
        int errno = Marshal.GetLastPInvokeError();
        outcome = -errno;
        return errno == Errno.EINTR;
    }

    /// <summary>The same for a call that is never interrupted, or must not be repeated.</summary>
    internal static int Result(nint result) => result >= 0 ? (int)result : -Marshal.GetLastPInvokeError();

    /// <summary>For set-up: returns the result of a call or throws what it failed with.</summary>
    internal static int Check(int outcome, string operation) => outcome >= 0 ? outcome : throw new LinuxException(operation, outcome);
}
