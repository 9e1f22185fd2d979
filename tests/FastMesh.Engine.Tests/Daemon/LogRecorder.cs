using FastMesh.Engine.Daemon;
using Microsoft.Extensions.Logging;

namespace FastMesh.Engine.Tests.Daemon;

/// <summary>Keeps every line that is logged, and lets a test wait for one.</summary>
internal sealed class LogRecorder : ILoggerFactory, ILogger, IDaemonConsole
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);
    private readonly List<string> _lines = [];

    public EngineLog Engine => new(this);

    public int DebugLevel { get; set; } = 5;

    public int Reopened { get; private set; }

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
                return [.. _lines];
        }
    }

    /// <summary>Waits until a line contains the text.</summary>
    public void WaitFor(string text, int times = 1)
    {
        long end = Environment.TickCount64 + (long)s_patience.TotalMilliseconds;
        lock (_lines)
        {
            while (_lines.Count(line => line.Contains(text, StringComparison.Ordinal)) < times)
            {
                long left = end - Environment.TickCount64;
                Assert.True(left > 0 && Monitor.Wait(_lines, (int)left), $"No \"{text}\" in:\n{string.Join('\n', _lines)}");
            }
        }
    }

    public LogTap Tap { get; } = new();

    public void ReopenLog() => Reopened++;

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public ILogger CreateLogger(string categoryName) => this;

    public void Dispose()
    {
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines)
        {
            _lines.Add(formatter(state, exception));
            Monitor.PulseAll(_lines);
        }
    }
}
