using FastMesh.Engine;
using FastMesh.Engine.Daemon;
using Microsoft.Extensions.Logging;

namespace FastMesh.Cli.Logging;

/// <summary>
/// The daemon's log: shows the engine's categories up to the debug level, in one sink, and of what others can cause only so much a minute.
/// Until the daemon is up, warnings and errors go to standard error too, so that whoever started it sees them. Any thread may log.
/// </summary>
internal sealed class DaemonLog : ILoggerProvider, IDaemonConsole
{
    private readonly Lock _lock = new();
    private readonly LogLimiter _limiter = new();
    private readonly Timer _minute;
    private readonly Category _own;
    private readonly LogSink _sink;
    private LogSink? _mirror;
    private bool _leftOut;
    private volatile int _debugLevel;

    /// <summary>Starts logging.</summary>
    /// <param name="sink">Where lines go; disposed with this log.</param>
    /// <param name="mirror">Where warnings and errors go too until <see cref="EndStart"/>, or null.</param>
    /// <param name="debugLevel">The first debug level.</param>
    public DaemonLog(LogSink sink, LogSink? mirror, int debugLevel)
    {
        (_sink, _mirror, _debugLevel) = (sink, mirror, debugLevel);
        _own = new Category(this, 0);
        _minute = new Timer(_ => TellLeftOut(Environment.TickCount64));
    }

    /// <inheritdoc/>
    public int DebugLevel
    {
        get => _debugLevel;
        set => _debugLevel = value;
    }

    /// <inheritdoc/>
    public LogTap Tap { get; } = new();

    /// <summary>Host names for the text of lines, or null: numbers. Disposed with this log.</summary>
    public HostNames? HostNames { get; set; }

    /// <inheritdoc/>
    public void ReopenLog()
    {
        string? problem;
        lock (_lock)
            problem = _sink.Reopen();
        if (problem is not null)
            _own.ConfigurationError(problem);
    }

    /// <summary>Ends the mirroring to standard error.</summary>
    public void EndStart()
    {
        lock (_lock)
            _mirror = null;
    }

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new Category(this, EngineLog.LevelOf(categoryName));

    /// <inheritdoc/>
    public void Dispose()
    {
        TellLeftOut(long.MaxValue);
        _minute.Dispose();
        HostNames?.Dispose();
        lock (_lock)
            _sink.Dispose();
    }

    /// <summary>Whether the log itself, not only a control client, gets a message now.</summary>
    private bool Admits(int debugLevel, LogLevel level, EventId id, object? state)
    {
        if (debugLevel > _debugLevel)
            return false;
        if (level < LogLevel.Information || !LogEvent.CanBeProvoked(id.Id))
            return true;

        string? peer = LogEvent.PeerOf(state);
        lock (_lock)
        {
            if (_limiter.Admit(id.Id, id.Name ?? "", peer, Environment.TickCount64))
                return true;
            if (!_leftOut)
                _minute.Change(LogLimiter.Window, Timeout.Infinite);
            _leftOut = true;
            return false;
        }
    }

    private void Write(in LogEntry entry)
    {
        lock (_lock)
        {
            _sink.Write(entry);
            if (entry.Level >= LogLevel.Warning)
                _mirror?.Write(entry);
        }
    }

    /// <summary>Says what was left out in minutes that are over, and comes back in a minute for the others.</summary>
    private void TellLeftOut(long now)
    {
        List<LeftOut> told;
        lock (_lock)
        {
            if (!_leftOut)
                return;
            told = _limiter.TakeEnded(now, out _leftOut);
            if (_leftOut)
                _minute.Change(LogLimiter.Window, Timeout.Infinite);
        }

        foreach (LeftOut item in told)
            _own.Suppressed(item.Messages, item.Name, item.Event, item.Peer ?? "others");
    }

    /// <summary>One category: enabled once the debug level reaches its own.</summary>
    private sealed class Category(DaemonLog log, int level) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => level <= log._debugLevel || log.Tap.Wants(level);

        /// <summary>What only control clients want does not get into the log itself.</summary>
        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            bool admitted = log.Admits(level, logLevel, eventId, state);
            if (!admitted && !log.Tap.IsOpen)
                return;
            string message = formatter(state, exception);
            message = log.HostNames?.Insert(message, state) ?? message;
            message = OneLine.Of(exception is null ? message : $"{message}: {exception.Message}");
            log.Tap.Add(level, logLevel, message);
            if (admitted)
                log.Write(new LogEntry(DateTime.UtcNow, level, logLevel, eventId, message, state));
        }
    }
}
