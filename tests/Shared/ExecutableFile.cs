using System.Diagnostics;

namespace FastMesh.Tests;

/// <summary>
/// Writes scripts that are run soon after. A child process writes them: a file that this process holds open for writing is held open too by
/// whatever another thread is starting at that moment, and to execute it then fails with "Text file busy".
/// </summary>
internal static class ExecutableFile
{
    /// <summary>Writes a file, which its owner can change and everybody can run.</summary>
    public static void Write(string path, string text)
    {
        ProcessStartInfo start = new("/bin/sh", ["-c", "cat >\"$0\" && chmod 755 \"$0\"", path]) { RedirectStandardInput = true };
        using Process writer = Process.Start(start)!;
        writer.StandardInput.Write(text);
        writer.StandardInput.Close();
        writer.WaitForExit();
        Assert.Equal(0, writer.ExitCode);
    }
}
