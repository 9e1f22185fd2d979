using System.Text;

namespace FastMesh.Cli.Config;

/// <summary>Writes whole files aside and moves them into place, so that nobody ever sees half of one, not even after a power cut.</summary>
internal static class AtomicFile
{
    /// <summary>Mode of secrets.</summary>
    public const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Mode of everything else; the umask takes from it.</summary>
    public const UnixFileMode Readable = OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Mode of scripts and directories.</summary>
    public const UnixFileMode Executable = Readable | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>Mode of directories with secrets.</summary>
    public const UnixFileMode OwnerDirectory = OwnerOnly | UnixFileMode.UserExecute;

    /// <summary>Writes a file in place of one that may be there. On failure the old one is as it was.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static void Write(string path, string text, UnixFileMode mode) => Write(path, text, mode, replace: true);

    /// <summary>Writes like <see cref="Write(string, string, UnixFileMode)"/> but does not wait for the disk: after a power cut the file may be empty.</summary>
    public static void WriteUnsynced(string path, string text, UnixFileMode mode) => Write(path, text, mode, replace: true, sync: false);

    /// <summary>Writes a file that must not exist yet; <see cref="IOException"/> if it does.</summary>
    public static void WriteNew(string path, string text, UnixFileMode mode) => Write(path, text, mode, replace: false);

    /// <summary>A name beside a file that nobody takes for one of the configuration: node names have no dots, and it does not end in .conf.</summary>
    public static string Aside(string path) => $"{path}.{Guid.NewGuid():N}.tmp";

    /// <summary>Writes a new file, which need not be on the disk yet.</summary>
    public static void WriteNewFile(string path, ReadOnlySpan<byte> bytes, UnixFileMode mode)
    {
        FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mode };
        using FileStream file = new(path, options);
        file.Write(bytes);
    }

    /// <summary>Sees a file onto the disk.</summary>
    public static void Sync(string path)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Write);
        file.Flush(flushToDisk: true);
    }

    private static void Write(string path, string text, UnixFileMode mode, bool replace, bool sync = true)
    {
        string aside = Aside(path);
        try
        {
            WriteNewFile(aside, Encoding.UTF8.GetBytes(text), mode);
            if (sync)
                Sync(aside);
            File.Move(aside, path, replace);
        }
        catch
        {
            File.Delete(aside);
            throw;
        }
    }
}
