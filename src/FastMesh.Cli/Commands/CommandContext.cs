using FastMesh.Cli.Config;

namespace FastMesh.Cli.Commands;

/// <summary>What a command works with. Messages go to <paramref name="Error"/>, data to <paramref name="Output"/> (tinc 1.1 reference, 10.3).</summary>
/// <param name="Paths">Which net.</param>
/// <param name="Line">Options and arguments.</param>
/// <param name="Input">Answers of the user, or a URL to join.</param>
/// <param name="Interactive">Whether questions may be asked.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
internal sealed record CommandContext(NetPaths Paths, CommandLine Line, TextReader Input, bool Interactive, TextWriter Output, TextWriter Error)
{
    /// <summary>Exit code for a daemon that is not there, or may not be controlled, and for wrong usage.</summary>
    public const int NothingToTalkTo = 2;

    /// <summary>The files of the net.</summary>
    public ConfigDirectory Directory { get; } = new(Paths.ConfigDirectory, Line.Overrides);

    /// <summary>What stands after the command.</summary>
    public IReadOnlyList<string> Arguments => Line.Arguments;

    /// <summary>The context of the running program: it asks only with a terminal on both sides, and not with <c>--batch</c>.</summary>
    public static CommandContext Of(NetPaths paths, CommandLine line)
    {
        bool interactive = !line.Batch && !Console.IsInputRedirected && !Console.IsOutputRedirected;
        return new CommandContext(paths, line, Console.In, interactive, Console.Out, Console.Error);
    }

    /// <summary>Says why the command failed and gives its exit code.</summary>
    public int Fail(string message)
    {
        Error.WriteLine(Printable(message));
        return 1;
    }

    /// <summary>Says what is wrong with the arguments and gives the exit code for that.</summary>
    public int Misuse(string message)
    {
        Fail(message);
        return NothingToTalkTo;
    }

    /// <summary>Prints a line of data, part of which may come from peers.</summary>
    public void Print(string line) => Output.WriteLine(Printable(line));

    /// <summary>Does something with the running daemon. If there is none to talk to, says why; then the exit code is 2.</summary>
    public int WithDaemon(Func<ControlClient, int> command)
    {
        try
        {
            using ControlClient client = ControlClient.Open(Paths);
            return command(client);
        }
        catch (ControlException e)
        {
            Fail(e.Message);
            return NothingToTalkTo;
        }
    }

    /// <summary>Says something on the way.</summary>
    public void Note(string message) => Error.WriteLine(Printable(message));

    /// <summary>Asks the user; without one, or for an empty answer, the preset is taken.</summary>
    public string Ask(string question, string preset)
    {
        if (!Interactive)
            return preset;
        Error.Write($"{question}{(preset.Length > 0 ? $" [{preset}]" : string.Empty)}: ");
        Error.Flush();
        string? answer = Input.ReadLine();
        return string.IsNullOrWhiteSpace(answer) ? preset : answer.Trim();
    }

    /// <summary>Text from files and peers must not command the terminal.</summary>
    public static string Printable(string text) => string.Concat(text.Select(c => char.IsControl(c) && c != '\n' ? '?' : c));
}
