using FastMesh.Engine;
using Microsoft.Extensions.Logging;

namespace FastMesh.Simulation.Tests;

/// <summary>Keeps the lines one node logs, up to a debug level.</summary>
internal sealed class SimLog(int level) : ILoggerFactory
{
    public List<string> Lines { get; } = [];

    public ILogger CreateLogger(string categoryName) => new Category(this, EngineLog.LevelOf(categoryName) <= level);

    public void AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    public void Dispose()
    {
    }

    private sealed class Category(SimLog log, bool enabled) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => enabled;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (enabled)
                log.Lines.Add(formatter(state, exception));
        }
    }
}
