using System.Diagnostics;
using System.Runtime.InteropServices;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Daemon;

/// <summary>
/// What the program does to processes: starting itself again in the background, telling the starter that it is up, and sending
/// signals. The background process is a new one rather than a fork, because a fork would lose every thread of the runtime. It gets
/// pipes for its standard streams, because the runtime keeps copies of those it started with, and with them the terminal or the pipe
/// of a script that waits for its end.
/// </summary>
public static class ProcessHost
{
    private const string DetachedVariable = "FASTMESH_DETACHED";
    private const byte ReadyMark = 0;
    private const int StandardError = 2;
    private static PosixSignalRegistration? s_pipe;

    /// <summary>What a process wrote just before its end is waited for this long; something it started may keep the pipe open.</summary>
    private static readonly TimeSpan s_lastWords = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Takes no notice of which signals the starter ignored (nohup, a shell's background), as tincd 1.0 does: they are the daemon's, and scripts have none
    /// ignored. SIGPIPE gets a handler, which unlike ignoring it is not inherited. First thing in the program.
    /// </summary>
    public static void TakeSignals()
    {
        const int Pipe = 13;
        ProcessControl.RestoreIgnoredSignals();
        PosixSignalRegistration.Create(PosixSignal.SIGCONT, static _ => { }).Dispose(); // the first one makes the runtime ignore SIGPIPE, again
        ProcessControl.RestoreIgnoredSignals();
        s_pipe ??= PosixSignalRegistration.Create((PosixSignal)Pipe, context => context.Cancel = true);
    }

    /// <summary>Goes on as another build of this program, in the same process and under the same name; returns only if that fails.</summary>
    /// <param name="program">Path of its file.</param>
    /// <param name="arguments">The arguments, without the program's name.</param>
    public static void Become(string program, IReadOnlyList<string> arguments) =>
        _ = ProcessControl.Execute(program, [Environment.GetCommandLineArgs()[0], .. arguments]);

    /// <summary>
    /// Starts this program again with the same arguments and waits until the new process reports that it is up, or ends. Meanwhile
    /// what it writes to standard error is passed on.
    /// </summary>
    /// <returns>0 once it is up; else its exit code, never 0.</returns>
    public static int StartDetached(IReadOnlyList<string> arguments)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        using Process child = Start(arguments);
        using Stream standardError = Console.OpenStandardError();
        Task<bool> relay = Task.Run(() => RelayUntilReady(child.StandardError.BaseStream, standardError));
        if (Task.WaitAny(relay, child.WaitForExitAsync()) != 0)
            relay.Wait(s_lastWords);
        if (relay.IsCompletedSuccessfully && relay.Result)
            return 0;
        child.WaitForExit();
        return Math.Max(1, child.ExitCode);
    }

    /// <summary>
    /// In the process that <see cref="StartDetached"/> started: leaves the terminal's session, makes the root directory the current
    /// one, and returns what to call once the daemon is up: it tells the starter and lets go of standard error.
    /// Null in any other process.
    /// </summary>
    /// <exception cref="LinuxException">There is no /dev/null.</exception>
    public static Action? JoinDetached()
    {
        bool detached = Environment.GetEnvironmentVariable(DetachedVariable) is not null;
        Environment.SetEnvironmentVariable(DetachedVariable, null);
        if (!detached)
            return null;

        ProcessControl.Setsid();
        Directory.SetCurrentDirectory("/");
        SafeFd devNull = ProcessControl.OpenFile("/dev/null", create: false);
        ProcessControl.RedirectStandardStream(0, devNull);
        ProcessControl.RedirectStandardStream(1, devNull);
        return () =>
        {
            FileIo.Write(StandardError, [ReadyMark]);
            ProcessControl.RedirectStandardStream(StandardError, devNull);
            devNull.Dispose();
        };
    }

    /// <summary>Sends a signal by number.</summary>
    /// <returns>False if there is no such process; any other failure counts as sent.</returns>
    public static bool SendSignal(int process, int signal) => ProcessControl.Kill(process, signal) != -Errno.ESRCH;

    /// <summary>Whether a process of that number exists, whoever it belongs to.</summary>
    public static bool Exists(int process) => SendSignal(process, 0);

    /// <summary>Tells who owns a file or directory, by number; false if it cannot be told.</summary>
    public static bool TryGetOwner(string path, out uint user, out uint group) => FileIo.Owner(path, out user, out group) == 0;

    private static Process Start(IReadOnlyList<string> arguments)
    {
        string program = Environment.ProcessPath ?? throw new InvalidOperationException("The path of this program is not known");
        ProcessStartInfo start = new(program)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        if (Path.GetFileName(program) == "dotnet")
            start.ArgumentList.Add(Environment.GetCommandLineArgs()[0]);
        foreach (string argument in arguments)
            start.ArgumentList.Add(argument);
        start.Environment[DetachedVariable] = "1";
        return Process.Start(start) ?? throw new InvalidOperationException($"Could not start {program}");
    }

    /// <summary>Copies bytes up to the mark, or to the end.</summary>
    /// <returns>Whether the mark came.</returns>
    private static bool RelayUntilReady(Stream from, Stream to)
    {
        byte[] buffer = new byte[4096];
        while (from.Read(buffer) is > 0 and int length)
        {
            int mark = buffer.AsSpan(0, length).IndexOf(ReadyMark);
            to.Write(buffer, 0, mark < 0 ? length : mark);
            if (mark >= 0)
                return true;
        }

        return false;
    }
}
