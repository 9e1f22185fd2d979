using System.Text;

namespace FastMesh.Cli.Config;

/// <summary>
/// A set of files that belong together: all are written aside, under names that nobody reads, and moved into place at the end. Unless
/// <see cref="Commit"/> was reached, <see cref="Dispose"/>, also from another thread, leaves everything as it was.
/// </summary>
internal sealed class StagedFiles : IDisposable
{
    private readonly object _lock = new();
    private readonly List<(string Aside, string Path, bool Replace)> _files = [];
    private readonly List<string> _directories = [], _moved = [];

    /// <summary>Makes a directory, and those above it, unless they are there.</summary>
    public void MakeDirectory(string path, UnixFileMode mode)
    {
        if (Directory.Exists(path))
            return;
        if (Path.GetDirectoryName(path) is { Length: > 0 } parent)
            MakeDirectory(parent, AtomicFile.Executable);
        lock (_lock)
        {
            Directory.CreateDirectory(path, mode);
            _directories.Add(path);
        }
    }

    /// <summary>Adds a file that must not exist yet.</summary>
    public void Add(string path, string text, UnixFileMode mode)
    {
        if (Path.Exists(path))
            throw new IOException($"{path} exists already");
        Stage(path, text, mode, replace: false);
    }

    /// <summary>Adds a file that takes the place of one that may be there, whose mode stays unless it is a secret.</summary>
    public void Replace(string path, string text, UnixFileMode mode)
    {
        bool keepMode = File.Exists(path) && mode != AtomicFile.OwnerOnly;
        Stage(path, text, keepMode ? File.GetUnixFileMode(path) : mode, replace: true);
    }

    /// <summary>
    /// Moves the files into place, in the order in which they were added: the one that brings the others to life comes last. What can take long, seeing
    /// them onto the disk, is done here too: until then somebody may be waiting.
    /// </summary>
    public void Commit()
    {
        lock (_lock)
        {
            foreach ((string aside, _, _) in _files)
                AtomicFile.Sync(aside);
            foreach ((string aside, string path, bool replace) in _files)
            {
                File.Move(aside, path, replace);
                if (!replace)
                    _moved.Add(path);
            }

            Forget();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            foreach (string path in _files.Select(f => f.Aside).Concat(_moved))
                Attempt(() => File.Delete(path));
            foreach (string path in Enumerable.Reverse(_directories))
                Attempt(() => Directory.Delete(path));
            Forget();
        }
    }

    private void Forget()
    {
        _files.Clear();
        _moved.Clear();
        _directories.Clear();
    }

    private static void Attempt(Action removal)
    {
        try
        {
            removal();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Whatever stood in the way of writing may stand in the way of removing; the first failure is the one that is reported.
        }
    }

    private void Stage(string path, string text, UnixFileMode mode, bool replace)
    {
        string aside = AtomicFile.Aside(path);
        lock (_lock)
        {
            _files.Add((aside, path, replace));
            AtomicFile.WriteNewFile(aside, Encoding.UTF8.GetBytes(text), mode);
        }
    }
}
