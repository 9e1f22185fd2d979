namespace FastMesh.Cli.Config;

/// <summary>Short reasons for file errors in the words of the C library, which administrators search for.</summary>
internal static class FileError
{
    /// <summary>EAGAIN, by which the base library reports that another process holds the lock of a file.</summary>
    private const int LockedByOther = 11;

    /// <summary>What went wrong with <paramref name="path"/>, without the path.</summary>
    public static string Describe(Exception error, string path) => error switch
    {
        FileNotFoundException or DirectoryNotFoundException => "No such file or directory",
        UnauthorizedAccessException => Directory.Exists(path) ? "Is a directory" : "Permission denied",
        PathTooLongException => "File name too long",
        IOException { HResult: LockedByOther } => "Resource temporarily unavailable",
        _ => error.Message,
    };
}
