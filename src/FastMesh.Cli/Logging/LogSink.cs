using System.Globalization;
using FastMesh.Cli.Config;
using FastMesh.Engine.Daemon;
using Microsoft.Extensions.Logging;

namespace FastMesh.Cli.Logging;

/// <summary>Where log lines end up (tinc 1.0 reference, 1.8). Called under the lock of <see cref="DaemonLog"/>.</summary>
internal abstract class LogSink : IDisposable
{
    /// <summary>Writes one line.</summary>
    public abstract void Write(LogLevel level, string message);

    /// <summary>Opens what can be rotated anew.</summary>
    public virtual void Reopen()
    {
    }

    /// <inheritdoc/>
    public virtual void Dispose()
    {
    }
}

/// <summary>Standard error: the message only.</summary>
internal sealed class ConsoleSink(TextWriter writer) : LogSink
{
    public override void Write(LogLevel level, string message) => writer.WriteLine(message);
}

/// <summary>The system log.</summary>
internal sealed class SystemLogSink(string identity) : LogSink
{
    private readonly SystemLog _log = new(identity);

    public override void Write(LogLevel level, string message) => _log.Write(level, message);

    public override void Dispose()
    {
        _log.Dispose();
        base.Dispose();
    }
}

/// <summary>A file: <c>YYYY-MM-DD HH:MM:SS ident[pid]: message</c> in local time, written out line by line.</summary>
internal sealed class FileSink : LogSink
{
    private readonly string _path;
    private readonly string _identity;
    private StreamWriter? _file;

    public FileSink(string path, string identity)
    {
        (_path, _identity) = (path, identity);
        Reopen();
    }

    public override void Write(LogLevel level, string message)
        => _file?.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{DateTime.Now:yyyy-MM-dd HH:mm:ss} {_identity}[{Environment.ProcessId}]: {message}"));

    /// <summary>Opens the file for appending. If that fails the old one, if any, stays in use.</summary>
    public override void Reopen()
    {
        try
        {
            FileStream stream = new(_path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
            _file?.Dispose();
            _file = new StreamWriter(stream) { AutoFlush = true };
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Console.Error.WriteLine($"Could not open log file {_path}: {FileError.Describe(e, _path)}");
        }
    }

    public override void Dispose()
    {
        _file?.Dispose();
        base.Dispose();
    }
}
