using System.Globalization;
using FastMesh.Engine.Daemon;

namespace FastMesh.Cli.Logging;

/// <summary>Where log lines end up (tinc 1.0 reference, 1.8). Called under the lock of <see cref="DaemonLog"/>.</summary>
internal abstract class LogSink : IDisposable
{
    /// <summary>Writes one line.</summary>
    public abstract void Write(in LogEntry entry);

    /// <summary>Opens what can be rotated anew.</summary>
    /// <returns>Null, or what went wrong; lines go where they went, then.</returns>
    public virtual string? Reopen() => null;

    /// <inheritdoc/>
    public virtual void Dispose()
    {
    }
}

/// <summary>How the lines of a sink look.</summary>
/// <param name="IsJson">JSON objects, not text.</param>
/// <param name="Net">The net's name, or null without one.</param>
internal readonly record struct LineStyle(bool IsJson, string? Net)
{
    /// <summary>The line for an entry: its message, or all of it as JSON.</summary>
    public string LineOf(in LogEntry entry) => IsJson ? entry.ToJson(Net) : entry.Message;
}

/// <summary>Standard error: as text, the message only.</summary>
internal sealed class ConsoleSink(TextWriter writer, LineStyle style = default) : LogSink
{
    public override void Write(in LogEntry entry)
    {
        try
        {
            writer.WriteLine(style.LineOf(entry));
        }
        catch (IOException)
        {
            // Nobody reads it, or its disk is full: no reason to end.
        }
    }
}

/// <summary>The system log.</summary>
internal sealed class SystemLogSink(string identity, LineStyle style) : LogSink
{
    private readonly SystemLog _log = new(identity);

    public override void Write(in LogEntry entry) => _log.Write(entry.Level, style.LineOf(entry));

    public override void Dispose()
    {
        _log.Dispose();
        base.Dispose();
    }
}

/// <summary>A file: <c>YYYY-MM-DD HH:MM:SS ident[pid]: message</c> in local time, or JSON; written out line by line.</summary>
internal sealed class FileSink : LogSink
{
    private readonly string _path;
    private readonly string _identity;
    private readonly LineStyle _style;
    private readonly LogFile _file;

    /// <summary>Opens it; if that fails, says so on standard error and loses what is logged.</summary>
    /// <param name="path">The file's absolute path.</param>
    /// <param name="identity">What names the net in each line of text.</param>
    /// <param name="style">How lines look.</param>
    /// <param name="user">Whose file it shall be, or null.</param>
    public FileSink(string path, string identity, LineStyle style, string? user)
    {
        (_path, _identity, _style) = (path, identity, style);
        _file = new LogFile(path, user, out string? problem);
        if (problem is not null)
            Console.Error.WriteLine(CannotOpen(problem));
    }

    public override void Write(in LogEntry entry)
    {
        string line = _style.LineOf(entry);
        _file.WriteLine(_style.IsJson
            ? line
            : string.Create(CultureInfo.InvariantCulture, $"{entry.Time.ToLocalTime():yyyy-MM-dd HH:mm:ss} {_identity}[{Environment.ProcessId}]: {line}"));
    }

    /// <inheritdoc/>
    public override string? Reopen() => _file.Reopen() is { } problem ? $"{CannotOpen(problem)}; still using the old one" : null;

    public override void Dispose()
    {
        _file.Dispose();
        base.Dispose();
    }

    private string CannotOpen(string problem) => $"Could not open log file {_path}: {problem}";
}
