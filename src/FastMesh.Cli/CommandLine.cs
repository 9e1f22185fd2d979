using System.Globalization;
using FastMesh.Cli.Config;
using FastMesh.Cli.Logging;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.DataPath;

namespace FastMesh.Cli;

/// <summary>The command line of the daemon: tincd's options in every spelling of getopt (tinc 1.0 reference, 1.1) and our own.</summary>
internal sealed record CommandLine
{
    /// <summary>Name that messages of the command line begin with.</summary>
    public const string Program = "fastmesh";

    private const int MinKeyBits = 512, MaxKeyBits = 8192, MaxWorkers = 256, MaxCpu = 4095, MaxTimeout = 86400;

    private static readonly Dictionary<string, int> s_signals = new(StringComparer.OrdinalIgnoreCase)
    {
        ["HUP"] = 1,
        ["INT"] = 2,
        ["ABRT"] = 6,
        ["KILL"] = 9,
        ["USR1"] = 10,
        ["USR2"] = 12,
        ["ALRM"] = 14,
        ["TERM"] = 15,
        ["WINCH"] = 28,
    };

    private static readonly Dictionary<string, Offloads> s_offloads = new(StringComparer.Ordinal)
    {
        ["vnet"] = Offloads.VnetHeader,
        ["csum"] = Offloads.Checksum,
        ["tso"] = Offloads.Tso,
        ["ecn"] = Offloads.TsoEcn,
        ["uso"] = Offloads.Uso,
        ["gso"] = Offloads.Gso,
        ["gro"] = Offloads.Gro,
    };

    private readonly List<ConfigEntry> _overrides = [];
    private int? _workers;
    private bool _autoWorkers;

    /// <summary>Directory of the configuration as given with <c>-c</c>, or null.</summary>
    public string? ConfigDirectory { get; private set; }

    /// <summary>Net name, or null without <c>-n</c> and for <c>-n .</c>.</summary>
    public string? NetName { get; private set; }

    /// <summary>Whether <c>-n</c> was given, be it with a dot.</summary>
    public bool NetIsGiven { get; private set; }

    /// <summary>The command, or null to run the daemon.</summary>
    public string? Command { get; private set; }

    /// <summary>What stands after the command.</summary>
    public IReadOnlyList<string> Arguments { get; private set; } = [];

    /// <summary>Commands ask nothing.</summary>
    public bool Batch { get; private set; }

    /// <summary>Commands do what they would only warn of.</summary>
    public bool Force { get; private set; }

    /// <summary>Commands print JSON instead of text.</summary>
    public bool Json { get; private set; }

    /// <summary>Warnings make a check fail too.</summary>
    public bool Strict { get; private set; }

    /// <summary>How long peers may take to come up again.</summary>
    public TimeSpan Timeout { get; private set; } = TimeSpan.FromSeconds(30);

    /// <summary>Every option as it was given, in order.</summary>
    public IReadOnlyList<(OptionSpec Option, string? Value)> Given { get; private set; } = [];

    /// <summary>Stay in the foreground.</summary>
    public bool Foreground { get; private set; }

    /// <summary>Debug level, or null if not given; then LogLevel counts.</summary>
    public int? DebugLevel { get; private set; }

    /// <summary>Number of the signal to send to the running daemon, or null.</summary>
    public int? Signal { get; private set; }

    /// <summary>Size of the RSA key to make in bits (a multiple of 8), or null.</summary>
    public int? KeyBits { get; private set; }

    /// <summary>Values of <c>-o</c> in order; the variable may be <c>HOST.KEY</c>.</summary>
    public IReadOnlyList<ConfigEntry> Overrides => _overrides;

    /// <summary>Lock all memory.</summary>
    public bool LockMemory { get; private set; }

    /// <summary>Change the root to the configuration directory after start.</summary>
    public bool ChangeRoot { get; private set; }

    /// <summary>User to run as, or null.</summary>
    public string? User { get; private set; }

    /// <summary>Log to a file.</summary>
    public bool LogToFile { get; private set; }

    /// <summary>The log file as given, or null for the default one.</summary>
    public string? LogFile { get; private set; }

    /// <summary>How lines of the log look.</summary>
    public LogFormat LogFormat { get; private set; }

    /// <summary>The pid file as given, or null for the default one.</summary>
    public string? PidFile { get; private set; }

    /// <summary>No authentication and no encryption of meta connections.</summary>
    public bool BypassSecurity { get; private set; }

    /// <summary>Number of data path threads.</summary>
    public int Workers => _workers ?? (Cpus.Count > 0 ? Cpus.Count : _autoWorkers ? DataPlaneSettings.ShardsFor(Environment.ProcessorCount) : 1);

    /// <summary>Which library encrypts.</summary>
    public CryptoChoice Crypto { get; private set; }

    /// <summary>What the kernel may do for many packets at once.</summary>
    public Offloads Offloads { get; private set; } = Offloads.All;

    /// <summary>How packets are read and written.</summary>
    public PacketIo Io { get; private set; }

    /// <summary>Processors to run the data path on, ascending; empty for all.</summary>
    public IReadOnlyList<int> Cpus { get; private set; } = [];

    /// <summary>Print the usage text.</summary>
    public bool Help { get; private set; }

    /// <summary>Print the version.</summary>
    public bool Version { get; private set; }

    /// <summary>Reads the arguments after the program's name.</summary>
    /// <returns>Null, or why they are wrong in one line.</returns>
    public static string? TryParse(IReadOnlyList<string> arguments, out CommandLine commandLine)
    {
        commandLine = new CommandLine();
        string? error = GetOpt.Parse(Program, OptionTable.Options, arguments, IsCommand, out List<(OptionSpec Option, string? Value)> options, out IReadOnlyList<string> rest);
        commandLine.Given = options;
        if (rest.Count > 0)
            (commandLine.Command, commandLine.Arguments) = (rest[0], [.. rest.Skip(1)]);
        for (int i = 0; error is null && i < options.Count; i++)
        {
            error = commandLine.Apply(options[i].Option.Long, options[i].Value);
        }

        if (error is null && commandLine is { LogToFile: true, LogFormat: LogFormat.Journald })
            error = "--log-format=journald and --logfile exclude each other.";
        return error;
    }

    private static bool IsCommand(string argument) => Commands.CommandTable.Find(argument) is not null;

    private string? Apply(string option, string? value)
    {
        switch (option)
        {
            case "config": return Once(ConfigDirectory, value, "configuration directory", v => ConfigDirectory = v);
            case "net":
                NetIsGiven = true;
                return Once(NetName, value, "netname", v => NetName = v == "." ? null : v);
            case "pidfile": return Once(PidFile, value, "pidfile", v => PidFile = v);
            case "logfile":
                LogToFile = true;
                return value is null ? null : Once(LogFile, value, "logfile", v => LogFile = v);
            case "log-format": return SetLogFormat(value!);
            case "kill": return SetSignal(value ?? "TERM");
            case "generate-keys": return SetKeyBits(value ?? "2048");
            case "option": return AddOverride(value!);
            case "workers": return SetWorkers(value!);
            case "cpus": return SetCpus(value!);
            case "io": return SetIo(value!);
            case "no-offload": return LeaveOut(value);
            case "crypto": return SetCrypto(value!);
            case "debug":
                DebugLevel = value is null ? (DebugLevel ?? 0) + 1 : ParseLeniently(value);
                return null;
            case "user": User = value; return null;
            case "no-detach": Foreground = true; return null;
            case "bypass-security": BypassSecurity = true; return null;
            case "mlock": LockMemory = true; return null;
            case "chroot": ChangeRoot = true; return null;
            case "batch": Batch = true; return null;
            case "force": Force = true; return null;
            case "json": Json = true; return null;
            case "strict": Strict = true; return null;
            case "timeout": return SetTimeout(value!);
            case "help": Help = true; return null;
            default: Version = true; return null;
        }
    }

    private static string? Once(string? before, string? value, string what, Action<string> assign)
    {
        if (before is not null)
        {
            return $"Only one {what} can be given.";
        }

        assign(value!);
        return null;
    }

    private string? SetSignal(string value)
    {
        int number = s_signals.TryGetValue(value, out int named) ? named : ParseLeniently(value);
        Signal = number;
        return number > 0 ? null : $"Invalid argument `{value}'; SIGNAL must be a number or one of HUP, TERM, KILL, USR1, USR2, WINCH, INT or ALRM.";
    }

    private string? SetKeyBits(string value)
    {
        int bits = ParseLeniently(value);
        KeyBits = bits & ~7;
        return bits switch
        {
            < MinKeyBits => $"Invalid argument `{value}'; BITS must be a number equal to or greater than {MinKeyBits}.",
            > MaxKeyBits => $"Invalid argument `{value}'; BITS must be at most {MaxKeyBits}: no tinc node can use a larger key.",
            _ => null,
        };
    }

    private string? AddOverride(string text)
    {
        int number = _overrides.Count + 1;
        if (!ConfigEntry.TrySplit(text, out string variable, out string value))
        {
            return $"No value for variable `{variable}' in command line option {number}";
        }

        _overrides.Add(new ConfigEntry(variable, value, File: null, number));
        return null;
    }

    private string? SetWorkers(string value)
    {
        bool valid = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int workers) && workers is >= 1 and <= MaxWorkers;
        _autoWorkers = value == "auto";
        _workers = _autoWorkers ? null : workers;
        return valid || _autoWorkers ? null : $"Invalid argument `{value}'; --workers takes a number from 1 to {MaxWorkers}, or auto.";
    }

    private string? SetCpus(string value)
    {
        SortedSet<int> cpus = [];
        foreach (string range in value.Split(','))
        {
            string[] ends = range.Split('-');
            if (ends.Length > 2 || !TryParseCpu(ends[0], out int first) || !TryParseCpu(ends[^1], out int last) || last < first)
            {
                return $"Invalid argument `{value}'; --cpus takes processor numbers and ranges such as 0-3,6.";
            }

            cpus.UnionWith(Enumerable.Range(first, last - first + 1));
        }

        Cpus = [.. cpus];
        return null;
    }

    private string? SetCrypto(string value)
    {
        CryptoChoice? choice = value switch
        {
            "auto" => CryptoChoice.Automatic,
            "ipsec-mb" => CryptoChoice.IpsecMb,
            "openssl" => CryptoChoice.OpenSsl,
            _ => null,
        };
        Crypto = choice ?? default;
        return choice is null ? $"Invalid argument `{value}'; --crypto takes auto, ipsec-mb or openssl." : null;
    }

    private string? SetTimeout(string value)
    {
        bool valid = int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out int seconds) && seconds is >= 1 and <= MaxTimeout;
        Timeout = TimeSpan.FromSeconds(seconds);
        return valid ? null : $"Invalid argument `{value}'; --timeout takes seconds from 1 to {MaxTimeout}.";
    }

    private string? SetIo(string value)
    {
        PacketIo? io = value switch { "auto" => PacketIo.Auto, "uring" => PacketIo.Uring, "mmsg" => PacketIo.Mmsg, _ => null };
        Io = io ?? Io;
        return io is null ? $"Invalid argument `{value}'; --io takes auto, uring or mmsg." : null;
    }

    private string? SetLogFormat(string value)
    {
        LogFormat? format = value switch
        {
            "text" => LogFormat.Text,
            "json" => LogFormat.Json,
            "journald" => LogFormat.Journald,
            _ => null,
        };
        LogFormat = format ?? LogFormat;
        return format is null ? $"Invalid argument `{value}'; --log-format takes text, json or journald." : null;
    }

    private string? LeaveOut(string? names)
    {
        foreach (string name in names?.Split(',') ?? s_offloads.Keys.ToArray())
        {
            if (!s_offloads.TryGetValue(name, out Offloads offload))
            {
                return $"Invalid argument `{names}'; --no-offload takes a list of {string.Join(", ", s_offloads.Keys)}, or nothing for all.";
            }

            Offloads &= ~offload;
        }

        return null;
    }

    private static bool TryParseCpu(string text, out int cpu)
        => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out cpu) && cpu <= MaxCpu;

    /// <summary>As C's atoi: what is no number counts as 0.</summary>
    private static int ParseLeniently(string text) => ConfigValue.TryParseInteger(text, out int value) ? value : 0;
}
