using System.Globalization;
using System.Runtime.InteropServices;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Linux;

/// <summary>What a daemon does to its own process. For set-up, on the main thread, before shards exist.</summary>
public static unsafe class ProcessControl
{
    /// <summary>Leaves the terminal's session. Returns the new session's number or the negated errno (EPERM: leader already).</summary>
    public static int Setsid() => Syscall.Result(Libc.setsid());

    /// <summary>
    /// Gives signals that are ignored their default action: those that the starter ignored, and SIGPIPE, which the runtime ignores. What is ignored would stay so
    /// in programs that this one runs. Before other threads are at work.
    /// </summary>
    public static void RestoreIgnoredSignals()
    {
        const int Last = 31; // those of real time come after it
        nint* action = stackalloc nint[32];
        for (int signal = 1; signal <= Last; signal++)
        {
            if (Libc.sigaction(signal, 0, action) == 0 && action[0] == Libc.SIG_IGN)
                _ = Libc.signal(signal, Libc.SIG_DFL);
        }
    }

    /// <summary>
    /// Makes this process run another program, with the same environment. Before other threads are at work. Returns only if that fails: the
    /// negated errno (ENOENT, EACCES, ENOEXEC).
    /// </summary>
    /// <param name="program">Path of its file.</param>
    /// <param name="arguments">Its arguments, with the name that it is to be seen under first.</param>
    public static int Execute(string program, params IReadOnlyList<string> arguments)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        byte** list = (byte**)NativeMemory.AllocZeroed((nuint)arguments.Count + 1, (nuint)sizeof(byte*));
        for (int i = 0; i < arguments.Count; i++)
            list[i] = (byte*)Marshal.StringToCoTaskMemUTF8(arguments[i]);
        int error = Syscall.Result(Libc.execv(program, list));
        for (int i = 0; i < arguments.Count; i++)
            Marshal.FreeCoTaskMem((nint)list[i]);
        NativeMemory.Free(list);
        return error;
    }

    /// <summary>Points a standard stream at an open file.</summary>
    /// <param name="stream">0, 1 or 2.</param>
    /// <param name="target">Usually <c>/dev/null</c>, opened while it can be: after a change of root it is out of reach.</param>
    /// <exception cref="LinuxException">It is not open.</exception>
    public static void RedirectStandardStream(int stream, SafeFd target)
    {
        ArgumentNullException.ThrowIfNull(target);
        Syscall.Check(Syscall.Result(Libc.dup2(target.Descriptor, stream)), "Could not redirect the standard streams");
    }

    /// <summary>Opens a file for reading and writing, close-on-exec; mode 0644 less umask if it is made.</summary>
    /// <exception cref="LinuxException">As open(2) says.</exception>
    public static SafeFd OpenFile(string path, bool create)
    {
        const uint Mode = 0b110_100_100;
        int fd;
        while (Syscall.Interrupted(Libc.open(path, Libc.O_RDWR | Libc.O_CLOEXEC | (create ? Libc.O_CREAT : 0), Mode), out fd)) { }
        return new(Syscall.Check(fd, $"Could not open {path}"));
    }

    /// <summary>Changes the working directory.</summary>
    /// <exception cref="LinuxException">As chdir(2) says.</exception>
    public static void ChangeDirectory(string path) =>
        Syscall.Check(Syscall.Result(Libc.chdir(path)), $"Could not change to directory {path}");

    /// <summary>
    /// Makes a directory the root and the working directory. Everything the runtime loads lazily (assemblies, libcrypto, name resolution) must
    /// have been used once before, or be inside.
    /// </summary>
    /// <exception cref="LinuxException">As chroot(2) says.</exception>
    public static void ChangeRoot(string path)
    {
        Syscall.Check(Syscall.Result(Libc.chroot(path)), $"Could not change root to {path}");
        ChangeDirectory("/");
    }

    /// <summary>Sets which permission bits new files do not get. Returns the mask before.</summary>
    public static int SetUmask(int mask) => (int)Libc.umask((uint)mask);

    /// <summary>
    /// Takes an exclusive lock on an open file without waiting; it lasts until the last copy of the descriptor is closed. Returns 0 or the
    /// negated errno (EAGAIN: another process has it).
    /// </summary>
    public static int TryLock(int fd)
    {
        int result;
        while (Syscall.Interrupted(Libc.flock(fd, Libc.LOCK_EX | Libc.LOCK_NB), out result)) { }
        return result;
    }

    /// <summary>Sends a signal by number; 0 only asks. Returns 0 or the negated errno (ESRCH: no such process, EPERM: not ours).</summary>
    public static int Kill(int pid, int signal) => Syscall.Result(Libc.kill(pid, signal));

    /// <summary>Whether a descriptor is a terminal.</summary>
    public static bool IsTerminal(int fd) => Libc.isatty(fd) == 1;

    /// <summary>A pipe; both ends are close-on-exec and blocking.</summary>
    /// <exception cref="LinuxException">No descriptor is left.</exception>
    public static (SafeFd Read, SafeFd Write) Pipe()
    {
        int* fds = stackalloc int[2];
        Syscall.Check(Syscall.Result(Libc.pipe2(fds, Libc.O_CLOEXEC)), "Could not create a pipe");
        return (new(fds[0]), new(fds[1]));
    }

    /// <summary>
    /// Looks a user and its groups up. Done apart from <see cref="SwitchUser"/> because it must happen before a change of root.
    /// </summary>
    /// <exception cref="LinuxException">There is no such user.</exception>
    public static UserIdentity FindUser(string name)
    {
        Libc.Passwd* entry = Libc.getpwnam(name);
        if (entry is null)
            throw new LinuxException($"Unknown user {name}", Errno.ENOENT);
        (uint user, uint group) = (entry->pw_uid, entry->pw_gid);
        uint[] groups = new uint[16];
        while (true)
        {
            int count = groups.Length; // in: room; out: how many there are
            int result;
            fixed (uint* p = groups)
                result = Libc.getgrouplist(name, group, p, &count);
            if (result >= 0)
                return new(user, group, groups[..count]);
            groups = new uint[Math.Max(count, groups.Length * 2)];
        }
    }

    /// <summary>
    /// Becomes another user, for good: groups, then user, of all threads (the C library tells them; the raw system calls would change only
    /// this one).
    /// </summary>
    /// <exception cref="LinuxException">Not permitted.</exception>
    public static void SwitchUser(UserIdentity user)
    {
        ArgumentNullException.ThrowIfNull(user);
        fixed (uint* groups = user.Groups)
            Syscall.Check(Syscall.Result(Libc.setgroups((nuint)user.Groups.Length, groups)), "Could not switch the supplementary groups");
        Syscall.Check(Syscall.Result(Libc.setgid(user.Group)), $"Could not switch to group {user.Group}");
        Syscall.Check(Syscall.Result(Libc.setuid(user.User)), $"Could not switch to user {user.User}");
    }

    /// <summary>
    /// Keeps all present and future pages in memory. Pages are locked when first touched (MCL_ONFAULT), because the runtime reserves far more
    /// address space than it uses; kernels without it (before 4.4) lock everything. The limit is raised first, since with a finite one later
    /// allocations would fail.
    /// </summary>
    /// <returns>
    /// Whether there is no limit now. If there is one, only a process with CAP_IPC_LOCK can go on allocating.
    /// </returns>
    /// <exception cref="LinuxException">Not permitted (EPERM) or beyond the limit (ENOMEM).</exception>
    public static bool LockMemory()
    {
        Libc.Rlimit limit = new() { rlim_cur = Libc.RLIM_INFINITY, rlim_max = Libc.RLIM_INFINITY };
        if (Libc.setrlimit(Libc.RLIMIT_MEMLOCK, &limit) != 0 && Libc.getrlimit(Libc.RLIMIT_MEMLOCK, &limit) == 0)
        {
            limit.rlim_cur = limit.rlim_max;
            _ = Libc.setrlimit(Libc.RLIMIT_MEMLOCK, &limit);
        }

        const int All = Libc.MCL_CURRENT | Libc.MCL_FUTURE;
        int error = Syscall.Result(Libc.mlockall(All | Libc.MCL_ONFAULT));
        if (error == -Errno.EINVAL)
            error = Syscall.Result(Libc.mlockall(All));
        Syscall.Check(error, "Could not lock memory");
        return limit.rlim_cur == Libc.RLIM_INFINITY;
    }

    /// <summary>
    /// Sets the nice value (-20 urgent to 19) of the whole process. In Linux it belongs to a thread and is inherited by the threads that
    /// thread makes, so it is set for every thread there is now. Returns 0 or the first negated errno (EACCES: not permitted).
    /// </summary>
    public static int SetNice(int nice)
    {
        int outcome = 0;
        foreach (string task in Directory.EnumerateDirectories("/proc/self/task"))
        {
            uint thread = uint.Parse(Path.GetFileName(task), CultureInfo.InvariantCulture);
            int error = Syscall.Result(Libc.setpriority(Libc.PRIO_PROCESS, thread, nice));
            if (error < 0 && error != -Errno.ESRCH && outcome == 0) // ESRCH: a thread that ended meanwhile
                outcome = error;
        }
        return outcome;
    }

    /// <summary>Sets the nice value of the calling thread alone. Returns 0 or the negated errno; a higher value than before is always permitted.</summary>
    public static int SetThreadNice(int nice) => Syscall.Result(Libc.setpriority(Libc.PRIO_PROCESS, 0, nice));

    /// <summary>Names the calling thread; on the main thread, the process (15 bytes are kept). Returns 0 or the negated errno.</summary>
    public static int SetThreadName(string name)
    {
        Span<byte> field = stackalloc byte[16];
        CString.WriteTruncated(name, field);
        fixed (byte* p = field)
            return Syscall.Result(Libc.prctl(Libc.PR_SET_NAME, (nint)p, 0, 0, 0));
    }
}

/// <summary>A user to switch to.</summary>
/// <param name="User">User number.</param>
/// <param name="Group">Primary group number.</param>
/// <param name="Groups">All group numbers.</param>
public sealed record UserIdentity(uint User, uint Group, uint[] Groups);
