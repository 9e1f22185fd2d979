namespace FastMesh.Native.Linux;

/// <summary>A set-up call failed. The message reads "OPERATION: TEXT (NAME)", e.g. "Could not open /dev/net/tun: No such file or directory (ENOENT)".</summary>
public sealed class LinuxException : Exception
{
    /// <summary>Describes a failed operation; <paramref name="error"/> is an errno of either sign.</summary>
    public LinuxException(string operation, int error)
        : base($"{operation}: {Linux.Errno.Message(error)} ({Linux.Errno.Name(error)})")
    {
        Operation = operation;
        Errno = Math.Abs(error);
    }

    /// <summary>What was tried, in words for the log.</summary>
    public string Operation { get; }

    /// <summary>The positive error number.</summary>
    public int Errno { get; }
}
