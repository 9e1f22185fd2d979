using System.ComponentModel;
using System.Diagnostics;

namespace FastMesh.Cli.Migration;

/// <summary>What came of a command.</summary>
/// <param name="Code">Exit code; -1 if there is no such program.</param>
/// <param name="Output">Standard output.</param>
/// <param name="Error">Standard error.</param>
internal sealed record CommandResult(int Code, string Output, string Error)
{
    /// <summary>It ended with 0.</summary>
    public bool Succeeded => Code == 0;

    /// <summary>The last line of what it said, or its exit code.</summary>
    public string Reason => (Error + Output).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).LastOrDefault() ?? $"exit code {Code}";
}

/// <summary>
/// Runs other programs in sessions of their own, so that an interrupt from the terminal reaches only us: we bring things to an end in which one daemon runs.
/// </summary>
internal static class Command
{
    /// <summary>A daemon that has been started may keep a pipe open: what is there by then is enough.</summary>
    private static readonly TimeSpan s_lastWords = TimeSpan.FromSeconds(1);

    /// <summary>Runs a program to its end.</summary>
    public static CommandResult Run(string program, params IReadOnlyList<string> arguments) => Run(program, arguments, "/", null);

    /// <summary>Runs a program to its end.</summary>
    /// <param name="program">Its path or name.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="directory">Where.</param>
    /// <param name="environment">NAME=VALUE each, or null for ours.</param>
    public static CommandResult Run(string program, IReadOnlyList<string> arguments, string directory, IReadOnlyList<string>? environment)
        => Wait(Describe(["setsid", "--wait", program, .. arguments], directory, environment));

    /// <summary>Starts a program that does not leave for the background by itself.</summary>
    /// <param name="program">Its path or name.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="directory">Where.</param>
    /// <param name="environment">NAME=VALUE each, or null for ours.</param>
    /// <param name="output">A file to write to, or null.</param>
    public static CommandResult RunInBackground(
        string program, IReadOnlyList<string> arguments, string directory, IReadOnlyList<string>? environment, string? output)
    {
        const string Script = "out=$1; shift; exec setsid --fork \"$@\" </dev/null >>\"$out\" 2>&1";
        return Wait(Describe(["/bin/sh", "-c", Script, "sh", output ?? "/dev/null", program, .. arguments], directory, environment));
    }

    private static ProcessStartInfo Describe(string[] command, string directory, IReadOnlyList<string>? environment)
    {
        ProcessStartInfo start = new(command[0], command[1..])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Directory.Exists(directory) ? directory : "/",
        };
        if (environment is not null)
            start.Environment.Clear();
        foreach (string variable in environment ?? [])
        {
            int equals = variable.IndexOf('=', StringComparison.Ordinal);
            if (equals > 0)
                start.Environment[variable[..equals]] = variable[(equals + 1)..];
        }

        return start;
    }

    private static CommandResult Wait(ProcessStartInfo start)
    {
        try
        {
            using Process process = Process.Start(start)!;
            process.StandardInput.Close();
            Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
            process.WaitForExit(Timeout.InfiniteTimeSpan);
            Task.WaitAll([output, error], s_lastWords);
            return new(process.ExitCode, Text(output), Text(error));
        }
        catch (Win32Exception e)
        {
            return new(-1, string.Empty, $"{start.FileName}: {e.Message}");
        }
    }

    private static string Text(Task<string> stream) => stream.IsCompletedSuccessfully ? stream.Result : string.Empty;
}
