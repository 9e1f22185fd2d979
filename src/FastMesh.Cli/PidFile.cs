using System.Globalization;
using System.Text;
using FastMesh.Cli.Config;
using FastMesh.Engine.Daemon;

namespace FastMesh.Cli;

/// <summary>
/// The pid file: in the first line the process number, as tincd 1.0 writes it (tinc 1.0 reference, 1.4), in the second what control clients
/// need, which tinc 1.1 writes into the first (tinc 1.1 reference, 10.1). Both generations read it. The owner's alone, for the cookie's sake.
/// </summary>
/// <param name="path">Absolute path.</param>
internal sealed class PidFile(string path)
{
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>The process number in the file, or 0 if the file is missing or does not begin with a number.</summary>
    public int Read()
    {
        try
        {
            using FileStream file = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
            return ReadNumber(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }

    /// <summary>Writes our own process number, unless the file names another process that exists.</summary>
    /// <param name="running">That process, or 0.</param>
    /// <returns>Null, or why the file could not be written.</returns>
    public string? Claim(out int running)
    {
        running = 0;
        try
        {
            // FileShare.None is flock(LOCK_EX | LOCK_NB), which tincd takes too.
            FileStreamOptions options = new()
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                UnixCreateMode = Mode,
            };
            using FileStream file = new(path, options);
            int process = ReadNumber(file);
            if (process != 0 && process != Environment.ProcessId && ProcessHost.Exists(process))
            {
                running = process;
                return null;
            }

            File.SetUnixFileMode(file.SafeFileHandle, Mode);
            file.SetLength(0);
            file.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{Environment.ProcessId}\n")));
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return $"Couldn't write pid file {path}: {FileError.Describe(e, path)}";
        }
    }

    /// <summary>Adds what control clients need; whoever reads meanwhile finds at least the process number.</summary>
    /// <param name="control"><c>COOKIE HOST portPORT</c></param>
    /// <exception cref="IOException">The file is gone, or as write(2) says.</exception>
    public void Announce(string control)
    {
        using FileStream file = new(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.Seek(0, SeekOrigin.End);
        file.Write(Encoding.ASCII.GetBytes(control + "\n"));
    }

    /// <summary>Removes the file; out of reach or gone already is fine.</summary>
    public void Remove()
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // After -R or -U the file is out of reach; the next start finds it stale.
        }
    }

    /// <summary>The first number: tincd does not cut the file, so that the tail of an older, longer one may follow.</summary>
    private static int ReadNumber(FileStream file)
    {
        Span<byte> text = stackalloc byte[32];
        int length = file.ReadAtLeast(text, text.Length, throwOnEndOfStream: false);
        file.Position = 0;
        bool valid = ConfigValue.TryParseInteger(Encoding.ASCII.GetString(text[..length]), out int number);
        return valid ? Math.Max(0, number) : 0;
    }
}
