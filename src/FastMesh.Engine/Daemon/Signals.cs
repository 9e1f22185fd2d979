using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Daemon;

/// <summary>
/// Signals as a queue for the control loop (tinc 1.0 reference, 1.6). They arrive on threads of the runtime; only the second
/// request to end, or one before the loop runs, acts there and then, because the loop may be the one that hangs.
/// </summary>
internal sealed class Signals : IDisposable
{
    public const int Hup = 1, Int = 2, Quit = 3, Usr1 = 10, Usr2 = 12, Alrm = 14, Term = 15, Winch = 28;

    // TSTP, TTIN, TTOU, STKFLT, URG, XCPU, XFSZ, VTALRM, PROF, IO, PWR: the rest of those whose default would end or stop a
    // detached daemon, less those that the runtime keeps for itself.
    private static readonly int[] s_unexpected = [16, 20, 21, 22, 23, 24, 25, 26, 27, 29, 30];
    private static readonly int[] s_expected = [Hup, Int, Quit, Usr1, Usr2, Alrm, Term, Winch];

    private readonly ConcurrentQueue<int> _pending = new();
    private readonly List<PosixSignalRegistration> _registrations = [];
    private readonly EventFd _wake;
    private readonly Action<int> _exit;
    private int _looping;
    private int _requestsToEnd;

    /// <summary>Starts catching signals.</summary>
    /// <param name="detached">Whether to catch and report signals that have no meaning here too.</param>
    /// <param name="wake">Signalled whenever <see cref="TryTake"/> has something.</param>
    /// <param name="exit">Ends the process at once with a code.</param>
    public Signals(bool detached, EventFd wake, Action<int> exit)
    {
        (_wake, _exit) = (wake, exit);
        foreach (int number in detached ? [.. s_expected, .. s_unexpected] : s_expected)
        {
            _registrations.Add(PosixSignalRegistration.Create((PosixSignal)number, context =>
            {
                context.Cancel = true;
                Post(number);
            }));
        }
    }

    /// <summary>The name in "Got X signal", or null for one without meaning here.</summary>
    public static string? NameOf(int number) => number switch
    {
        Hup => "HUP",
        Int => "INT",
        Quit => "QUIT",
        Usr1 => "USR1",
        Usr2 => "USR2",
        Alrm => "ALRM",
        Term => "TERM",
        Winch => "WINCH",
        _ => null,
    };

    /// <summary>From now on somebody takes what arrives, so that the first request to end is an orderly one.</summary>
    public void EnterLoop() => Volatile.Write(ref _looping, 1);

    /// <summary>Handles a signal that arrived; any thread.</summary>
    public void Post(int number)
    {
        if (number is Term or Quit && (Interlocked.Increment(ref _requestsToEnd) > 1 || Volatile.Read(ref _looping) == 0))
        {
            _exit(1);
            return;
        }

        _pending.Enqueue(number);
        _wake.Signal();
    }

    /// <summary>Takes the oldest signal.</summary>
    public bool TryTake(out int number) => _pending.TryDequeue(out number);

    /// <summary>Gives the signals back to the runtime's defaults.</summary>
    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
            registration.Dispose();
        _registrations.Clear();
    }
}
