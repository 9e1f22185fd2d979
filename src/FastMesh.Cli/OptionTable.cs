namespace FastMesh.Cli;

/// <summary>
/// Every option of the command line: what <c>--help</c>, the manual page and the completions are made from.
/// </summary>
internal static class OptionTable
{
    /// <summary>All options in the order of the usage text.</summary>
    public static IReadOnlyList<OptionSpec> Options { get; } =
    [
        new("config", 'c', OptionValue.Required, "DIR", "Read the configuration from DIR instead of /etc/tinc/NET."),
        new("net", 'n', OptionValue.Required, "NET", "Run, or talk to, the net of that name."),
        new("no-detach", 'D', OptionValue.None, "", "Stay in the foreground."),
        new("debug", 'd', OptionValue.Optional, "LEVEL", "Log more: one level, or up to LEVEL of 0 to 5.") { Values = ["0", "1", "2", "3", "4", "5"] },
        new("kill", 'k', OptionValue.Optional, "SIGNAL", "Send the running daemon a signal: TERM if not named.")
        {
            Values = ["HUP", "TERM", "KILL", "USR1", "USR2", "WINCH", "INT", "ALRM", "ABRT"],
        },
        new("generate-keys", 'K', OptionValue.Optional, "BITS", "Make an RSA key pair: 2048 bits if not given."),
        new("option", 'o', OptionValue.Required, "[HOST.]KEY=VALUE", "Set a variable, of this node or of HOST."),
        new("mlock", 'L', OptionValue.None, "", "Keep the daemon's memory out of swap."),
        new("chroot", 'R', OptionValue.None, "", "Confine the daemon to its configuration directory."),
        new("user", 'U', OptionValue.Required, "USER", "Become USER once the daemon is up."),
        new("logfile", '\0', OptionValue.Optional, "FILE", "Log to a file."),
        Own("log-format", OptionValue.Required, "FORMAT", "Log as text, as json (an object a line), or to systemd's journal: journald.") with
        {
            Values = ["text", "json", "journald"],
        },
        new("pidfile", '\0', OptionValue.Required, "FILE", "Keep the process number in FILE."),
        new("bypass-security", '\0', OptionValue.None, "", "Neither authenticate nor encrypt connections; for tests."),
        Own("workers", OptionValue.Required, "N|auto", "Move packets with N threads, or as many as the machine is good for.") with { Values = ["auto"] },
        Own("cpus", OptionValue.Required, "LIST", "Move packets on these processors, such as 0-3,6."),
        Own("io", OptionValue.Required, "HOW", "Move packets by io_uring, or by plain system calls: auto, uring, mmsg.") with { Values = ["auto", "uring", "mmsg"] },
        Own("no-offload", OptionValue.Optional, "LIST", "Plain packets; LIST leaves out some of vnet,csum,tso,ecn,uso,gso,gro only.") with
        {
            Values = ["vnet", "csum", "tso", "ecn", "uso", "gso", "gro"],
        },
        Own("crypto", OptionValue.Required, "LIBRARY", "Encrypt with ipsec-mb or openssl; auto takes the faster one there is.") with
        {
            Values = ["auto", "ipsec-mb", "openssl"],
        },
        ForCommands("batch", OptionValue.None, "", "Commands: ask nothing.") with { Short = 'b' },
        ForCommands("force", OptionValue.None, "", "Commands: do what they would only warn of."),
        ForCommands("json", OptionValue.None, "", "Commands: print JSON instead of text."),
        ForCommands("timeout", OptionValue.Required, "SECONDS", "adopt, revert: how long peers may take to come up again."),
        ForCommands("strict", OptionValue.None, "", "check: warnings make it fail too."),
        new("help", '\0', OptionValue.None, "", "Print this summary."),
        new("version", '\0', OptionValue.None, "", "Print the version."),
    ];

    private static OptionSpec Own(string name, OptionValue value, string valueName, string summary)
        => new(name, '\0', value, valueName, summary, IsOwn: true);

    private static OptionSpec ForCommands(string name, OptionValue value, string valueName, string summary)
        => Own(name, value, valueName, summary) with { IsForCommands = true };
}
