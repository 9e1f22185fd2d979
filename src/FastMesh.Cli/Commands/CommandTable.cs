namespace FastMesh.Cli.Commands;

/// <summary>One command of the command line.</summary>
/// <param name="Name">Its name, as tinc 1.1 has it; case does not matter.</param>
/// <param name="Arguments">Its arguments for the usage text.</param>
/// <param name="Summary">What it does, in a few words.</param>
/// <param name="MinArguments">Fewest arguments.</param>
/// <param name="MaxArguments">Most arguments.</param>
/// <param name="Run">Does it and gives the exit code.</param>
internal sealed record CommandSpec(string Name, string Arguments, string Summary, int MinArguments, int MaxArguments, Func<CommandContext, int> Run);

/// <summary>The commands, spelled as those of the program <c>tinc</c> (tinc 1.1 reference, 10.3).</summary>
internal static class CommandTable
{
    /// <summary>All commands in the order of the usage text.</summary>
    public static IReadOnlyList<CommandSpec> Commands { get; } =
    [
        new("init", "[NAME]", "Make a configuration with new keys.", 0, 1, InitCommand.Run),
        new("generate-keys", "[BITS]", "Make new RSA and Ed25519 key pairs.", 0, 1, GenerateKeysCommand.Both),
        new("generate-rsa-keys", "[BITS]", "Make a new RSA key pair.", 0, 1, GenerateKeysCommand.Rsa),
        new("generate-ed25519-keys", "", "Make a new Ed25519 key pair.", 0, 0, GenerateKeysCommand.Ed25519),
        new("invite", "NAME", "Print a URL with which a new node can join.", 1, 1, InviteCommand.Run),
        new("join", "[URL]", "Join a net by the URL of an invitation.", 0, 1, JoinCommand.Run),
        new("why", "NODE|ADDRESS|SUBNET", "Say how packets travel there, why, and what to do about it.", 1, 1, WhyCommand.Run),
        new("audit", "", "Say how packets to each node are protected, and what is weak.", 0, 0, AuditCommand.Run),
        new("speed", "NODE [SECONDS]", "Measure throughput, loss and latency under load to a FastMesh node.", 1, 2, SpeedCommand.Run),
        new("check", "", "Find what is wrong or doubtful in the configuration.", 0, 0, CheckCommand.Run),
        new("adopt", "", "Put FastMesh in place of the running tincd.", 0, 0, MigrationCommand.Adopt),
        new("revert", "", "Put the tincd of before in place of FastMesh.", 0, 0, MigrationCommand.Revert),
        new("status", "", "Show the daemon, its peers and how they are reached.", 0, 0, StatusCommand.Run),
        new("top", "", "Show the nodes' traffic, live.", 0, 0, TopCommand.Run),
        new("dump", DumpCommand.Kinds, "List what the daemon knows.", 1, 2, DumpCommand.Run),
        new("graph", "[dot|svg]", "Draw the mesh, for graphviz or as a picture.", 0, 1, GraphCommand.Run),
        new("info", "NODE|SUBNET|ADDRESS", "Show a node, or whose a subnet or an address is.", 1, 1, InfoCommand.Run),
        new("pid", "", "Print the daemon's process number.", 0, 0, ControlCommands.Pid),
        new("stop", "", "Stop the daemon.", 0, 0, ControlCommands.Stop),
        new("retry", "", "Try all outgoing connections at once.", 0, 0, ControlCommands.Retry),
        new("purge", "", "Forget unreachable nodes.", 0, 0, ControlCommands.Purge),
        new("disconnect", "NODE", "Close the connection with a node.", 1, 1, ControlCommands.Disconnect),
        new("debug", "LEVEL", "Change the daemon's debug level.", 1, 1, ControlCommands.Debug),
        new("log", "[LEVEL]", "Show what the daemon logs from now on.", 0, 1, ControlCommands.Log),
        new("pcap", "[SNAPLEN]", "Write the packets routed from now on as a pcap file.", 0, 1, ControlCommands.Pcap),
        new("plan", "", "Show what a reload would change.", 0, 0, ReloadCommand.Plan),
        new("reload", "", "Read the configuration again and put it into force.", 0, 0, ReloadCommand.Reload),
    ];

    /// <summary>The command of that name, or null.</summary>
    public static CommandSpec? Find(string name) => Commands.FirstOrDefault(c => c.Name.Equals(name, StringComparison.OrdinalIgnoreCase) || (c.Name == "dump" && name.Equals("list", StringComparison.OrdinalIgnoreCase)));

    /// <summary>Runs the command of the command line.</summary>
    public static int Run(CommandContext context)
    {
        CommandSpec command = Find(context.Line.Command!)!;
        if (context.Arguments.Count > command.MaxArguments)
            return context.Misuse("Too many arguments!");
        return context.Arguments.Count < command.MinArguments ? context.Misuse("Not enough arguments!") : command.Run(context);
    }
}
