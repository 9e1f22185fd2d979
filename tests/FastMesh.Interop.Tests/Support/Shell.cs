using System.Diagnostics;

namespace FastMesh.Interop.Tests.Support;

/// <summary>What a finished command left behind.</summary>
public sealed record ShellResult(int ExitCode, string Output, string Error);

/// <summary>Runs short commands to their end.</summary>
public static class Shell
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    /// <summary>Runs a command and fails the test when its exit code is not 0.</summary>
    public static string Run(params string[] command)
    {
        ShellResult result = Try(command);
        Assert.True(result.ExitCode == 0, $"{string.Join(' ', command)}: exit {result.ExitCode}\n{result.Output}{result.Error}");
        return result.Output;
    }

    /// <summary>Runs a command, whatever comes out of it; a command that hangs is killed and fails the test.</summary>
    public static ShellResult Try(params string[] command) => TryWithin(s_limit, command);

    /// <summary>The same with another limit.</summary>
    public static ShellResult TryWithin(TimeSpan limit, params string[] command)
    {
        using Process process = Process.Start(StartInfo(command))!;
        process.StandardInput.Close();
        Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
        if (!process.WaitForExit(limit))
        {
            process.Kill(entireProcessTree: true);
            Assert.Fail($"{string.Join(' ', command)}: still running after {limit.TotalSeconds} s");
        }

        // A daemon that the command left behind may hold the pipes open: what is there by then is enough.
        Task.WaitAll([output, error], TimeSpan.FromSeconds(10));
        return new(process.ExitCode, Text(output), Text(error));
    }

    /// <summary>All three streams redirected, no shell in between.</summary>
    public static ProcessStartInfo StartInfo(params ReadOnlySpan<string> command)
    {
        ProcessStartInfo info = new(command[0])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (string argument in command[1..]) info.ArgumentList.Add(argument);
        return info;
    }

    private static string Text(Task<string> stream) => stream.IsCompletedSuccessfully ? stream.Result : "";
}
