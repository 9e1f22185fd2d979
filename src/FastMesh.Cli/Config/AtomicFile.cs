using System.Text;

namespace FastMesh.Cli.Config;

/// <summary>Writes whole files aside and moves them into place, so that nobody ever sees half of one, not even after a power cut.</summary>
internal static class AtomicFile
{
    /// <summary>Mode of secrets.</summary>
    public const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>Mode of everything else; the umask takes from it.</summary>
    public const UnixFileMode Readable = OwnerOnly | UnixFileMode.GroupRead | UnixFileMode.OtherRead;

    /// <summary>Mode of scripts.</summary>
    public const UnixFileMode Executable = Readable | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>Mode of directories with secrets.</summary>
    public const UnixFileMode OwnerDirectory = OwnerOnly | UnixFileMode.UserExecute;

    /// <summary>Writes a file in place of one that may be there. On failure the old one is as it was.</summary>
    /// <exception cref="IOException">The file cannot be written.</exception>
    /// <exception cref="UnauthorizedAccessException">It may not be written.</exception>
    public static void Write(string path, string text, UnixFileMode mode) => Write(path, Encoding.UTF8.GetBytes(text), mode, replace: true);

    /// <summary>Writes a file that must not exist yet; <see cref="IOException"/> if it does.</summary>
    public static void WriteNew(string path, string text, UnixFileMode mode) => Write(path, Encoding.UTF8.GetBytes(text), mode, replace: false);

    /// <summary>As above for bytes.</summary>
    public static void Write(string path, ReadOnlySpan<byte> bytes, UnixFileMode mode, bool replace)
    {
        string aside = $"{path}.{Guid.NewGuid():N}.tmp";
        try
        {
            FileStreamOptions options = new() { Mode = FileMode.CreateNew, Access = FileAccess.Write, UnixCreateMode = mode };
            using (FileStream file = new(aside, options))
            {
                file.Write(bytes);
                file.Flush(flushToDisk: true);
            }

            File.Move(aside, path, replace);
        }
        catch
        {
            File.Delete(aside);
            throw;
        }
    }
}
