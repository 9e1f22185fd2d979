using System.Diagnostics;
using System.Text;

namespace FastMesh.Interop.Tests.Support;

/// <summary>A command on a terminal of its own, 100 by 30, drawn by pyte (Debian: python3-pyte). It is killed when disposed.</summary>
public sealed class Terminal : IDisposable
{
    /// <summary>Passes on what is typed; draws what comes; gives what stands there for each NUL.</summary>
    private const string Script = """
        import fcntl, os, pty, select, struct, sys, termios
        import pyte
        columns, rows = 100, 30
        screen = pyte.Screen(columns, rows)
        stream = pyte.ByteStream(screen)
        child, terminal = pty.fork()
        if child == 0:
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
            os.environ["TERM"] = "linux"  # which is what pyte draws
            os.execvp(sys.argv[1], sys.argv[1:])
        while True:
            ready = select.select([terminal, 0], [], [])[0]
            if terminal in ready:
                try:
                    stream.feed(os.read(terminal, 65536))
                except OSError:  # the command has ended
                    break
            elif (key := os.read(0, 1)) == b"\0":
                print("\n".join(line.rstrip() for line in screen.display), end="\0", flush=True)
            elif key:
                os.write(terminal, key)
            else:
                os.kill(child, 9)
                break
        sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
        """;

    private readonly Process _process;

    /// <summary>Starts a command on a host.</summary>
    public Terminal(NetworkHost host, params string[] command)
    {
        Skip.IfNot(Shell.Try("/usr/bin/python3", "-c", "import pyte").ExitCode == 0, "needs the package python3-pyte");
        _process = Process.Start(Shell.StartInfo(host.Inside(["/usr/bin/python3", "-c", Script, .. command])))!;
    }

    /// <summary>The lines that stand there now, without blanks at their ends.</summary>
    public string Screen()
    {
        Type('\0');
        StringBuilder text = new();
        for (int next = _process.StandardOutput.Read(); next > 0; next = _process.StandardOutput.Read())
            text.Append((char)next);
        return text.ToString();
    }

    /// <summary>Presses a key.</summary>
    public void Type(char key)
    {
        _process.StandardInput.Write(key);
        _process.StandardInput.Flush();
    }

    /// <summary>Waits for the command to end by itself and returns its exit code.</summary>
    public int WaitForExit()
    {
        Poll.Until(() => _process.HasExited, () => $"It does not end:\n{Screen()}");
        return _process.ExitCode;
    }

    public void Dispose()
    {
        _process.StandardInput.Close();
        _process.WaitForExit();
        _process.Dispose();
    }
}
