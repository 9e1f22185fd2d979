using System.Diagnostics;
using System.Globalization;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Daemon;

/// <summary>
/// What the program does to processes: starting itself again in the background, telling the starter that it is up, and sending
/// signals. The background process is a new one rather than a fork, because a fork would lose every thread of the runtime.
/// </summary>
public static class ProcessHost
{
    private const string ReadyVariable = "FASTMESH_READY_FD";

    /// <summary>
    /// Starts this program again with the same arguments and waits until the new process reports that it is up, or ends. It
    /// inherits standard error, so reasons for a failure are seen there.
    /// </summary>
    /// <returns>0 once it is up; else its exit code, never 0.</returns>
    /// <exception cref="LinuxException">No pipe could be made.</exception>
    public static int StartDetached(IReadOnlyList<string> arguments)
    {
        ArgumentNullException.ThrowIfNull(arguments);
        string program = Environment.ProcessPath ?? throw new InvalidOperationException("The path of this program is not known");
        (SafeFd read, SafeFd write) = ProcessControl.Pipe();
        using (read)
        {
            Process child;
            using (write)
            {
                FileIo.SetCloseOnExec(write.Descriptor, false);
                ProcessStartInfo start = new(program) { UseShellExecute = false };
                if (Path.GetFileName(program) == "dotnet")
                    start.ArgumentList.Add(Environment.GetCommandLineArgs()[0]);
                foreach (string argument in arguments)
                    start.ArgumentList.Add(argument);
                start.Environment[ReadyVariable] = write.Descriptor.ToString(CultureInfo.InvariantCulture);
                child = Process.Start(start) ?? throw new InvalidOperationException($"Could not start {program}");
            }

            using (child)
            {
                Span<byte> answer = stackalloc byte[1];
                if (FileIo.Read(read.Descriptor, answer) == 1)
                    return 0;
                child.WaitForExit();
                return Math.Max(1, child.ExitCode);
            }
        }
    }

    /// <summary>
    /// In the process that <see cref="StartDetached"/> started: leaves the terminal's session, makes the root directory the current
    /// one, and returns what to call once the daemon is up: it lets go of the standard streams and then of the starter.
    /// Null in any other process.
    /// </summary>
    public static Action? JoinDetached()
    {
        string? text = Environment.GetEnvironmentVariable(ReadyVariable);
        Environment.SetEnvironmentVariable(ReadyVariable, null);
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int descriptor)
            || FileIo.SetCloseOnExec(descriptor, true) < 0)
            return null;

        SafeFd ready = new(descriptor);
        SafeFd devNull = ProcessControl.OpenFile("/dev/null", create: false);
        ProcessControl.Setsid();
        Directory.SetCurrentDirectory("/");
        return () =>
        {
            ProcessControl.RedirectStandardStreams(devNull);
            devNull.Dispose();
            FileIo.Write(ready.Descriptor, [1]);
            ready.Dispose();
        };
    }

    /// <summary>Sends a signal by number.</summary>
    /// <returns>False if there is no such process; any other failure counts as sent.</returns>
    public static bool SendSignal(int process, int signal) => ProcessControl.Kill(process, signal) != -Errno.ESRCH;

    /// <summary>Whether a process of that number exists, whoever it belongs to.</summary>
    public static bool Exists(int process) => SendSignal(process, 0);
}
