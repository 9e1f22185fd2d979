using FastMesh.Native.Linux;
using Microsoft.Extensions.Logging;

namespace FastMesh.Engine.Daemon;

/// <summary>A line of the log on its way to control clients.</summary>
/// <param name="Level">The debug level at which it appears.</param>
/// <param name="Severity">How serious it is.</param>
/// <param name="Message">One line of text.</param>
/// <param name="Time">When it was logged, local time.</param>
internal readonly record struct LogLine(int Level, LogLevel Severity, string Message, DateTime Time);

/// <summary>
/// What is logged, for control clients that watch it (tinc 1.1 reference, 10.2, LOG). Any thread adds, the control loop takes. What does not
/// fit any more is left out, so that a flood of messages costs neither memory nor time.
/// </summary>
public sealed class LogTap
{
    private const int Capacity = 1024, Closed = int.MinValue;

    private readonly Lock _lock = new();
    private readonly Queue<LogLine> _lines = new();
    private EventFd? _wake;
    private volatile int _level = Closed;

    /// <summary>Whether messages of a debug level are wanted even if the log itself leaves them out. Cheap.</summary>
    public bool Wants(int level) => level <= _level;

    /// <summary>Whether anybody watches. Cheap.</summary>
    public bool IsOpen => _level != Closed;

    /// <summary>Takes a message, if anybody watches.</summary>
    /// <param name="level">The debug level at which it appears.</param>
    /// <param name="severity">How serious it is.</param>
    /// <param name="message">One line of text.</param>
    public void Add(int level, LogLevel severity, string message)
    {
        if (_level == Closed)
            return;
        lock (_lock)
        {
            if (_wake is null || _lines.Count == Capacity)
                return;
            _lines.Enqueue(new LogLine(level, severity, message, DateTime.Now));
            if (_lines.Count == 1)
                _wake.Signal();
        }
    }

    /// <summary>Starts taking messages.</summary>
    /// <param name="level">The highest debug level wanted; -1: what the log shows.</param>
    /// <param name="wake">Signalled when there is something to take.</param>
    internal void Open(int level, EventFd wake)
    {
        lock (_lock)
            (_level, _wake) = (level, wake);
    }

    /// <summary>Stops taking messages and forgets those not taken.</summary>
    internal void Close()
    {
        lock (_lock)
        {
            (_level, _wake) = (Closed, null);
            _lines.Clear();
        }
    }

    /// <summary>Takes the oldest message.</summary>
    internal bool TryTake(out LogLine line)
    {
        lock (_lock)
            return _lines.TryDequeue(out line);
    }
}
