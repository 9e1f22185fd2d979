using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;
using FastMesh.Tests;

namespace FastMesh.Interop.Tests.Support;

/// <summary>
/// One daemon with its configuration directory. All kinds are started with the same command line and read the
/// same files; the log lines that are waited for are the reference's.
/// </summary>
public sealed class MeshNode(NetworkHost host, string name, string kind) : IDisposable
{
    /// <summary>A directory in which every daemon's whole log is left, for a look after a failure.</summary>
    private static readonly string? s_keepLogs = System.Environment.GetEnvironmentVariable("INTEROP_LOGS");

    /// <summary>The processor has AES instructions, as Linux names them on x86 and on arm64.</summary>
    private static readonly bool s_hasFastAes = Regex.IsMatch(File.ReadAllText("/proc/cpuinfo"), @"^(flags|Features)\s*:.*\baes\b", RegexOptions.Multiline);

    private readonly List<string> _log = [], _keptLog = [];
    private readonly List<MeshNode> _connectTo = [];
    private Process? _process;
    private long _startedAt;

    public NetworkHost Host { get; } = host;
    public string Name { get; } = name;

    /// <summary>One of the constants of <see cref="Programs"/>. Another one replaces the program at the next start, on the same directory.</summary>
    public string Kind { get; set; } = kind;

    /// <summary>The file that is run: the kind's, or another build of it.</summary>
    public string Program { get => field ?? Programs.PathOf(Kind); set; }

    /// <summary>The configuration directory.</summary>
    public string Directory { get; } = System.IO.Directory.CreateDirectory(Path.Combine(host.Network.Directory, name, "hosts")).Parent!.FullName;

    public string PidFile => Path.Combine(Directory, "pid");

    /// <summary>Lines of tinc.conf besides Name and ConnectTo.</summary>
    public List<string> Settings { get; } = ["PingTimeout = 2"];

    /// <summary>Lines of the node's host file besides Address and key, the same in every copy.</summary>
    public List<string> HostSettings { get; } =
    [
        $"Subnet = 10.20.{host.Number}.0/24",
        $"Subnet = fd20:0:0:{host.Number}::/64",
    ];

    /// <summary>A program with its arguments that starts the daemon in its own place; empty: none.</summary>
    public List<string> Launcher { get; } = [];

    /// <summary>Arguments after the usual ones.</summary>
    public List<string> Arguments { get; } = [];

    /// <summary>Variables for the daemon on top of this process's.</summary>
    public Dictionary<string, string> Environment { get; } = [];

    public NodeKeys Keys { get; set; } = NodeKeys.For(name);

    /// <summary>Only used with a directory of tinc 1.1.</summary>
    public Ed25519Keys Ed25519 => Ed25519Keys.For(Name);

    /// <summary>Others have this node's Ed25519 key in its host file, if it has one.</summary>
    public bool PublishesEd25519 { get; set; } = true;

    /// <summary>AutoConnect is left at its preset; otherwise nobody connects but by ConnectTo.</summary>
    public bool AutoConnects { get; set; }

    /// <summary>The node has a tinc-up: its own, or one that sets both inner addresses.</summary>
    public bool HasTincUp { get; set; } = true;

    /// <summary>Nodes of which this one has no host file.</summary>
    public List<MeshNode> Strangers { get; } = [];

    /// <summary>Where others dial it; null: its IPv4 address on every segment.</summary>
    public IReadOnlyList<string>? Addresses { get; set; }

    public string Inner => $"10.20.{Host.Number}.1";
    public string Inner6 => $"fd20:0:0:{Host.Number}::1";
    public bool Dials => _connectTo.Count > 0;
    public int ProcessId => _process?.Id ?? throw new InvalidOperationException($"{Name} is not running");
    public bool IsRunning => _process is { HasExited: false };

    /// <summary>The daemon ended by SIGABRT, which is how a failed assertion or a fault in FastMesh shows.</summary>
    public bool HasAborted => _process is { HasExited: true, ExitCode: 134 };

    public IReadOnlyList<MeshNode> Peers => _connectTo;

    /// <summary>The command line up to what <see cref="Arguments"/> adds.</summary>
    public string[] Command => [Program, "-n", "mesh", "-c", Directory, $"--pidfile={PidFile}"];

    public void ConnectTo(params MeshNode[] peers) => _connectTo.AddRange(peers);

    public void WriteFile(string file, string text) => File.WriteAllText(Path.Combine(Directory, file), text);

    /// <summary>Writes an executable shell script.</summary>
    public void WriteScript(string file, string body) => ExecutableFile.Write(Path.Combine(Directory, file), "#!/bin/sh\n" + body);

    /// <summary>Writes this node's copy of another node's host file, with all public keys that the other's directory has.</summary>
    public void WriteHostFile(MeshNode node)
    {
        IEnumerable<string> addresses = node.Addresses ??
            [.. node.Host.Segments.Where(Host.Segments.Contains).Select(segment => node.Host.Address(segment))];
        if (Strangers.Contains(node)) return;
        IEnumerable<string> ed25519 = Programs.HasEd25519Keys(node.Kind) && node.PublishesEd25519 ? [node.Ed25519.PublicLine] : [];
        WriteFile($"hosts/{node.Name}", string.Join('\n', [.. addresses.Select(a => $"Address = {a}"), .. node.HostSettings, .. ed25519]) + "\n" + node.Keys.PublicPem);
    }

    /// <summary>Writes tinc.conf, the private keys and, unless there is one, a tinc-up that sets both inner addresses.</summary>
    public void WriteConfiguration()
    {
        IEnumerable<string> generation = Programs.HasEd25519Keys(Kind) && !AutoConnects ? ["AutoConnect = no"] : [];
        WriteFile("tinc.conf", string.Join('\n', [$"Name = {Name}", .. _connectTo.Select(peer => $"ConnectTo = {peer.Name}"), .. Settings, .. generation]) + "\n");
        WriteKey("rsa_key.priv", Keys.PrivatePem);
        if (Programs.HasEd25519Keys(Kind)) WriteKey("ed25519_key.priv", Ed25519.PrivateFile);
        if (HasTincUp && !File.Exists(Path.Combine(Directory, "tinc-up"))) WriteScript("tinc-up", TincUp());
    }

    /// <summary>The addresses are wider than the node's subnets, so that the others are on-link.</summary>
    public string TincUp() => $"""
        ip link set dev $INTERFACE up
        ip addr add {Inner}/16 dev $INTERFACE
        ip addr add {Inner6}/48 dev $INTERFACE nodad

        """;

    /// <summary>Starts the daemon in the foreground at debug level 5 and waits until it is ready.</summary>
    public void Start()
    {
        WriteConfiguration();
        int mark = LogMark();
        StartWith("-D", "-d5");
        WaitForLog("^Ready$", mark);
    }

    /// <summary>Starts the daemon in the foreground without waiting for anything.</summary>
    /// <remarks>
    /// tincd seeds its nonces with the wall-clock second. One that is restarted within the second of its first start
    /// repeats its lines, and its neighbours suppress them as duplicates: they never learn its subnets again.
    /// </remarks>
    public void StartWith(params string[] arguments)
    {
        Poll.Until(() => Now() != _startedAt, () => "the clock stands still");
        _startedAt = Now();
        ProcessStartInfo info = Shell.StartInfo(Host.Inside([.. Launcher, .. Command, .. arguments, .. Arguments]));
        info.WorkingDirectory = Directory;
        foreach ((string key, string value) in Environment) info.Environment[key] = value;
        _process?.Dispose();
        _process = new Process { StartInfo = info };
        _process.OutputDataReceived += (_, line) => Append(line.Data);
        _process.ErrorDataReceived += (_, line) => Append(line.Data);
        _process.Start();
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
    }

    /// <summary>Ends the daemon with TERM and returns its exit code.</summary>
    public int Stop()
    {
        Signal("TERM");
        return WaitForExit();
    }

    public void Kill()
    {
        _process!.Kill();
        WaitForExit();
    }

    public int WaitForExit()
    {
        Poll.Until(() => _process!.HasExited, () => $"{Name} did not end\n{LogTail(25)}");
        return _process!.ExitCode;
    }

    public void Signal(string signal) => Shell.Run("kill", $"-{signal}", ProcessId.ToString(CultureInfo.InvariantCulture));

    /// <summary>A position in the log, to look only at what comes after it.</summary>
    public int LogMark()
    {
        lock (_log) return _log.Count;
    }

    public string[] Log(int from = 0)
    {
        lock (_log) return [.. _log.Skip(from)];
    }

    public string LogTail(int lines)
    {
        lock (_log) return string.Join('\n', _log.TakeLast(lines));
    }

    public bool HasLogged(string pattern, int from = 0) => Array.Exists(Log(from), line => Regex.IsMatch(line, pattern));

    /// <summary>Waits for a line and returns the match; fails at once when the daemon has ended without it.</summary>
    public Match WaitForLog(string pattern, int from = 0, TimeSpan? limit = null)
    {
        Match? found = null;
        bool Find() => (found = Log(from).Select(line => Regex.Match(line, pattern)).FirstOrDefault(match => match.Success)) is not null;
        Poll.TryUntil(() => Find() || !IsRunning, limit);
        if (found is null) Poll.TryUntil(Find, TimeSpan.FromMilliseconds(200));
        Assert.True(found is not null, $"{Name} ({Kind}) {(IsRunning ? "runs" : $"ended with {_process!.ExitCode}")} without logging /{pattern}/\n{Host.Network.LogTails()}");
        return found;
    }

    /// <summary>Waits until the meta connection with a peer is active.</summary>
    public void WaitForConnection(MeshNode peer, int from = 0) => WaitForLog($@"^Connection with {peer.Name} \(.*\) activated$", from);

    /// <summary>Waits for the line about the session with a peer, which names the protocol that the two kinds have in common.</summary>
    /// <param name="peer">The other node.</param>
    /// <param name="path">A pattern: <c>direct</c>, <c>via NODE</c> or <c>over TCP</c>.</param>
    public void WaitForSession(MeshNode peer, string path, int from = 0) =>
        WaitForLog($"^Session with {peer.Name} established: {SessionWith(peer)}, {path}$", from);

    /// <summary>Waits until both directions of UDP to a peer are proven: one probe has come back.</summary>
    public void WaitForUdp(MeshNode peer) =>
        Host.Network.Until(() => StateDump.Of(this).Nodes.TryGetValue(peer.Name, out NodeState? state) && state.MinMtu > 0, $"a probe from {Name} to {peer.Name}");

    public void Dispose()
    {
        if (IsRunning) _process!.Kill();
        _process?.WaitForExit(5000);
        _process?.Dispose();
        if (s_keepLogs is not null) File.WriteAllLines(Path.Combine(s_keepLogs, $"{Host.Namespace}-{Kind}.log"), _keptLog);
    }

    private void WriteKey(string file, string text)
    {
        WriteFile(file, text);
        File.SetUnixFileMode(Path.Combine(Directory, file), UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    private static long Now() => DateTimeOffset.UtcNow.ToUnixTimeSeconds();

    /// <summary>Protocol and suite as they are logged. FastMesh adds the hybrid agreement where the system has ML-KEM.</summary>
    private string SessionWith(MeshNode peer)
    {
        if (Programs.IsFastMesh(Kind) && Programs.IsFastMesh(peer.Kind)) return $@"FastMesh, {(s_hasFastAes ? "AES-256-GCM" : "ChaCha20-Poly1305")}, X25519( \+ ML-KEM-768)?";
        return Programs.HasEd25519Keys(Kind) && Programs.HasEd25519Keys(peer.Kind) ? "tinc 1.1 SPTPS, ChaCha20-Poly1305" : "tinc 1.0, [A-Z0-9-]+ with .+";
    }

    private void Append(string? line)
    {
        if (line is null) return;
        lock (_log)
        {
            _log.Add(line);
            if (s_keepLogs is not null) _keptLog.Add($"{DateTime.Now:HH:mm:ss.fff} {line}");
        }
    }
}
