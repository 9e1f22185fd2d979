using System.ComponentModel;
using System.Diagnostics;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Daemon;

/// <summary>How long a script may take.</summary>
/// <param name="Warning">After this a line in the log names it.</param>
/// <param name="Kill">After this it and what it started are killed, and the next script runs.</param>
internal readonly record struct ScriptLimits(TimeSpan Warning, TimeSpan Kill)
{
    /// <summary>
    /// Ten seconds are longer than any sensible script takes. A minute outlasts the slow ones (DHCP, a name server that times out),
    /// and yet the mesh's other scripts, and a shutdown, are not held up for ever.
    /// </summary>
    public static readonly ScriptLimits Default = new(TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(60));
}

/// <summary>
/// Runs the scripts of the configuration directory (tinc 1.0 reference, chapter 3), one after the other in the order asked for, on a
/// thread of its own: neither packets nor connections wait for them.
/// </summary>
internal sealed class Scripts : IDisposable
{
    private const string Shell = "/bin/sh";
    private const int Ok = 0, Failed = 1, Killed = 2, NotStarted = 3, Refused = 4;
    private static readonly string[] s_results = ["ok", "failed", "killed", "notStarted", "refused"];

    // A flapping mesh with a slow script could otherwise fill the memory.
    private const int MaxWaiting = 10_000;

    private readonly Queue<Job> _jobs = new();
    private readonly object _lock = new();
    private readonly KeyValuePair<string, string>[] _variables;
    private readonly EngineLog _log;
    private readonly ScriptLimits _limits;
    private readonly Thread _thread;
    private readonly long[] _counts = new long[s_results.Length];
    private bool _busy;
    private bool _closing;

    /// <summary>Starts the thread.</summary>
    /// <param name="directory">CONFBASE.</param>
    /// <param name="variables">What every script gets: NETNAME, NAME, DEVICE, INTERFACE.</param>
    /// <param name="log">Where starts and failures are reported.</param>
    /// <param name="limits">How long a script may take; null: the default.</param>
    public Scripts(
        string directory, IEnumerable<KeyValuePair<string, string>> variables, EngineLog log, ScriptLimits? limits = null)
    {
        (Directory, _variables, _log, _limits) = (directory, [.. variables], log, limits ?? ScriptLimits.Default);
        _thread = new Thread(Work) { IsBackground = true, Name = "scripts" };
        _thread.Start();
    }

    /// <summary>A script, or a step of the daemon itself.</summary>
    private readonly record struct Job(string Name, IReadOnlyList<KeyValuePair<string, string>> Variables, Action? Step = null);

    /// <summary>How many have ended how so far. May be called by any thread.</summary>
    public IReadOnlyDictionary<string, long> Counts => s_results.Index().ToDictionary(item => item.Item, item => Volatile.Read(ref _counts[item.Index]));

    /// <summary>Where scripts are; changes when the root directory does.</summary>
    public string Directory { get; set; }

    /// <summary>ScriptsInterpreter, or null; a reload may change it.</summary>
    public string? Interpreter { get; set; }

    /// <summary>ScriptsExtension, or nothing; a reload may change it.</summary>
    public string Extension { get; set; } = "";

    /// <summary>Runs a script after those asked for before, if it exists.</summary>
    public void Enqueue(string name, IReadOnlyList<KeyValuePair<string, string>> variables)
    {
        lock (_lock)
        {
            if (_jobs.Count < MaxWaiting)
            {
                _jobs.Enqueue(new(name, variables));
                Monitor.PulseAll(_lock);
                return;
            }
        }

        Interlocked.Increment(ref _counts[Refused]);
        _log.Always.ScriptRefused(name, MaxWaiting);
    }

    /// <summary>Does something on the scripts' thread after the scripts asked for before.</summary>
    public void Enqueue(Action step)
    {
        lock (_lock)
        {
            _jobs.Enqueue(new("", [], step));
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>Waits until every script asked for has ended.</summary>
    public void WaitUntilIdle()
    {
        lock (_lock)
        {
            while (_busy || _jobs.Count > 0)
                Monitor.Wait(_lock);
        }
    }

    /// <summary>Ends the thread after the running script; those that wait are not run.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            _closing = true;
            Monitor.PulseAll(_lock);
        }

        _thread.Join();
    }

    private void Work()
    {
        while (TryTakeJob(out Job job))
        {
            if (job.Step is { } step)
                step();
            else
                Run(job);
        }
    }

    private bool TryTakeJob(out Job job)
    {
        lock (_lock)
        {
            _busy = false;
            Monitor.PulseAll(_lock);
            while (_jobs.Count == 0 && !_closing)
                Monitor.Wait(_lock);
            job = default;
            return !_closing && (_busy = _jobs.TryDequeue(out job));
        }
    }

    private void Run(Job job)
    {
        string path = $"{Directory}/{job.Name}{Extension}";
        if (!Path.Exists(path))
            return;

        _log.Status.ExecutingScript(job.Name);
        ProcessStartInfo start = new(Shell) { RedirectStandardInput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(Interpreter is null ? $"\"{path}\"" : $"{Interpreter} \"{path}\"");
        foreach ((string name, string value) in _variables.Concat(job.Variables))
            start.Environment[name] = value;
        try
        {
            using Process process = Process.Start(start)!;
            process.StandardInput.Close();
            Wait(process, job.Name);
        }
        catch (Win32Exception e)
        {
            Interlocked.Increment(ref _counts[NotStarted]);
            _log.Always.ScriptNotStarted(job.Name, $"{Shell}: {Errno.Message(e.NativeErrorCode)}");
        }
    }

    private void Wait(Process process, string name)
    {
        if (!process.WaitForExit(_limits.Warning))
        {
            _log.Always.ScriptHangs(name, _limits.Warning.TotalSeconds);
            if (!process.WaitForExit(_limits.Kill - _limits.Warning))
            {
                Interlocked.Increment(ref _counts[Killed]);
                _log.Always.ScriptKilled(name, _limits.Kill.TotalSeconds);
                Kill(process);
                return;
            }
        }

        // A script ended by signal N shows as 128 + N, as the shell in between reports it to tinc.
        Interlocked.Increment(ref _counts[process.ExitCode == 0 ? Ok : Failed]);
        if (process.ExitCode != 0)
            _log.Always.ScriptFailed(name, process.ExitCode);
    }

    private static void Kill(Process process)
    {
        try
        {
            process.Kill(entireProcessTree: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or AggregateException)
        {
            process.Kill(); // without /proc, in a changed root, what the script started cannot be found
        }

        process.WaitForExit();
    }
}
