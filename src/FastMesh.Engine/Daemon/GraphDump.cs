using System.ComponentModel;
using System.Diagnostics;

namespace FastMesh.Engine.Daemon;

/// <summary>Writes GraphDumpFile (tinc 1.0 reference, 7.5), off the control thread. A dump is left out while the one before is still being written.</summary>
internal sealed class GraphDump
{
    private readonly EngineLog _log;
    private Task _writing = Task.CompletedTask;

    /// <summary>Prepares.</summary>
    public GraphDump(EngineLog log) => _log = log;

    /// <summary>Starts writing.</summary>
    /// <param name="target">A path, or a command after a leading pipe character.</param>
    /// <param name="text">The graph.</param>
    /// <returns>The write, for those who want to wait for it; it never fails.</returns>
    public Task Write(string target, string text)
    {
        if (_writing.IsCompleted)
            _writing = Task.Run(() => WriteOrLog(target, text));
        return _writing;
    }

    private void WriteOrLog(string target, string text)
    {
        try
        {
            if (target.StartsWith('|'))
                Pipe(target[1..], text);
            else
                Replace(target, text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Win32Exception)
        {
            _log.Always.GraphDumpFailed(target, e.Message);
        }
    }

    private static void Replace(string path, string text)
    {
        string fresh = path + ".new";
        File.WriteAllText(fresh, text);
        File.Move(fresh, path, overwrite: true);
    }

    private static void Pipe(string command, string text)
    {
        ProcessStartInfo start = new("/bin/sh") { RedirectStandardInput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(command);
        using Process process = Process.Start(start)!;
        using (process.StandardInput)
            process.StandardInput.Write(text);
        process.WaitForExit();
    }
}
