using FastMesh.Cli.Commands;

namespace FastMesh.Cli.Tests.Commands;

/// <summary>Runs commands in this process, in a directory of their own, and keeps what they say.</summary>
internal sealed class CommandFixture : IDisposable
{
    private readonly StringWriter _output = new(), _error = new();

    public TemporaryDirectory Net { get; } = new();

    public string Output => _output.ToString();

    /// <summary>What went to standard error, without the dots of key generation and with the directory left out.</summary>
    public string[] Messages =>
    [
        .. _error.ToString().Replace(Net.Root + "/", string.Empty).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(l => l.TrimStart('.')).Where(l => l is not "Done." && !l.StartsWith("Generating ", StringComparison.Ordinal)),
    ];

    /// <summary>Runs <c>fastmesh -c DIRECTORY/net ARGUMENTS</c>.</summary>
    public int Run(params string[] arguments) => Answer(null, arguments);

    /// <summary>The same with a user at the terminal who gives these answers.</summary>
    public int Answer(string? answers, params string[] arguments)
    {
        _output.GetStringBuilder().Clear();
        _error.GetStringBuilder().Clear();
        Assert.Null(CommandLine.TryParse(["-c", Net["net"], "--pidfile", Net["pid"], .. arguments], out CommandLine line));
        CommandContext context = new(NetPaths.From(line), line, new StringReader(answers ?? string.Empty), answers is not null, _output, _error);
        return CommandTable.Run(context);
    }

    /// <summary>All files of the net with their modes, sorted.</summary>
    public string[] Files()
    {
        string root = Net["net"];
        return !Directory.Exists(root) ? []
            : [.. Directory.GetFiles(root, "*", SearchOption.AllDirectories).Select(f => Describe(root, f)).Order(StringComparer.Ordinal)];
    }

    public string Read(string file) => Net.Read($"net/{file}");

    public void Write(string file, string text, UnixFileMode mode = (UnixFileMode)0b110_100_100) => Net.Write($"net/{file}", text, mode);

    public void Dispose() => Net.Dispose();

    private static string Describe(string root, string file)
        => $"{Convert.ToString((int)File.GetUnixFileMode(file), 8)} {Path.GetRelativePath(root, file)}";
}
