using FastMesh.Engine;
using FastMesh.Engine.Daemon;
using Microsoft.Extensions.Logging;

namespace FastMesh.Cli.Logging;

/// <summary>
/// The daemon's log: shows the engine's categories up to the debug level, in one sink. Until the daemon is up, warnings and errors
/// go to standard error too, so that whoever started it sees them. Any thread may log.
/// </summary>
internal sealed class DaemonLog : ILoggerProvider, IDaemonConsole
{
    private readonly Lock _lock = new();
    private readonly LogSink _sink;
    private LogSink? _mirror;
    private volatile int _debugLevel;

    /// <summary>Starts logging.</summary>
    /// <param name="sink">Where lines go; disposed with this log.</param>
    /// <param name="mirror">Where warnings and errors go too until <see cref="EndStart"/>, or null.</param>
    /// <param name="debugLevel">The first debug level.</param>
    public DaemonLog(LogSink sink, LogSink? mirror, int debugLevel) => (_sink, _mirror, _debugLevel) = (sink, mirror, debugLevel);

    /// <inheritdoc/>
    public int DebugLevel
    {
        get => _debugLevel;
        set => _debugLevel = value;
    }

    /// <inheritdoc/>
    public LogTap Tap { get; } = new();

    /// <inheritdoc/>
    public void ReopenLog()
    {
        lock (_lock)
        {
            _sink.Reopen();
        }
    }

    /// <summary>Ends the mirroring to standard error.</summary>
    public void EndStart()
    {
        lock (_lock)
        {
            _mirror = null;
        }
    }

    /// <inheritdoc/>
    public ILogger CreateLogger(string categoryName) => new Category(this, EngineLog.LevelOf(categoryName));

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _sink.Dispose();
        }
    }

    /// <summary>What only control clients want does not get into the log itself.</summary>
    private void Write(int debugLevel, LogLevel level, string message)
    {
        Tap.Add(debugLevel, level, message);
        if (debugLevel > _debugLevel)
        {
            return;
        }

        lock (_lock)
        {
            _sink.Write(level, message);
            if (level >= LogLevel.Warning)
            {
                _mirror?.Write(level, message);
            }
        }
    }

    /// <summary>One category: enabled once the debug level reaches its own.</summary>
    private sealed class Category(DaemonLog log, int level) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => level <= log._debugLevel || log.Tap.Wants(level);

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            string message = formatter(state, exception);
            log.Write(level, logLevel, OneLine(exception is null ? message : $"{message}: {exception.Message}"));
        }

        /// <summary>Text of a broken file or a strange peer must neither end the line nor command the terminal.</summary>
        private static string OneLine(string message) => message.Any(char.IsControl)
            ? string.Create(message.Length, message, static (text, from) =>
            {
                for (int i = 0; i < text.Length; i++)
                {
                    text[i] = char.IsControl(from[i]) ? '?' : from[i];
                }
            })
            : message;
    }
}
