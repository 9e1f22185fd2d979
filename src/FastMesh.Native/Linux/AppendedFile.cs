using FastMesh.Native.Interop;

namespace FastMesh.Native.Linux;

/// <summary>
/// A file that lines are appended to and that can be opened anew under its name: found by its directory as it was in the beginning, whatever
/// the root directory is by then. One thread at a time.
/// </summary>
public sealed class AppendedFile : IDisposable
{
    private const uint ReadableByAll = 0x1b6; // 0666, of which umask takes away

    private readonly string _name;
    private readonly SafeFd _directory;
    private SafeFd? _file;

    /// <summary>Finds the directory; the file is opened by <see cref="Reopen()"/>.</summary>
    /// <param name="path">The file's name with its directory.</param>
    /// <exception cref="LinuxException">There is no such directory.</exception>
    public AppendedFile(string path)
    {
        _name = Path.GetFileName(path);
        string directory = Path.GetDirectoryName(path) is { Length: > 0 } parent ? parent : ".";
        _directory = new SafeFd(Syscall.Check(Syscall.Result(Libc.open(directory, Libc.O_PATH | Libc.O_CLOEXEC, 0)), $"Could not open {directory}"));
    }

    /// <summary>Opens the file, made if there is none. If that fails the one that was open, if any, stays in use. Returns 0 or the negated errno.</summary>
    public int Reopen()
    {
        const int Flags = Libc.O_WRONLY | Libc.O_APPEND | Libc.O_CREAT | Libc.O_CLOEXEC;
        int outcome;
        while (Syscall.Interrupted(Libc.openat(_directory.Descriptor, _name, Flags, ReadableByAll), out outcome)) { }
        if (outcome < 0)
            return outcome;
        _file?.Dispose();
        _file = new SafeFd(outcome);
        return 0;
    }

    /// <summary>The same with a user's rights to files, and its primary group's: as <see cref="Reopen()"/> is once it is the process's user.</summary>
    public int Reopen(UserIdentity user)
    {
        ArgumentNullException.ThrowIfNull(user);
        uint groupBefore = (uint)Libc.setfsgid(user.Group), userBefore = (uint)Libc.setfsuid(user.User);
        try
        {
            return Reopen();
        }
        finally
        {
            _ = Libc.setfsuid(userBefore);
            _ = Libc.setfsgid(groupBefore);
        }
    }

    /// <summary>Gives the open file to a user. Returns 0 or the negated errno.</summary>
    public int GiveTo(UserIdentity user)
    {
        ArgumentNullException.ThrowIfNull(user);
        return _file is null ? -Errno.EBADF : Syscall.Result(Libc.fchown(_file.Descriptor, user.User, user.Group));
    }

    /// <summary>Appends. Returns the bytes written or the negated errno.</summary>
    public int Write(ReadOnlySpan<byte> line) => _file is null ? -Errno.EBADF : FileIo.Write(_file.Descriptor, line);

    /// <summary>Closes it.</summary>
    public void Dispose()
    {
        _file?.Dispose();
        _directory.Dispose();
    }
}
