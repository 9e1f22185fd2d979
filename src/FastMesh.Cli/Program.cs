using FastMesh.Cli;
using FastMesh.Cli.Commands;
using FastMesh.Cli.Config;

// Commands are tinc 1.1's (tinc 1.1 reference, 10.3); without one, the order in which tincd looks at its options counts (tinc 1.0 reference, 1.1 and 1.2).
if (CommandLine.TryParse(args, out CommandLine commandLine) is { } error)
{
    Console.Error.WriteLine($"{error}\nTry `{CommandLine.Program} --help' for more information.");
    return 1;
}

if (commandLine.Version || commandLine.Help)
{
    Console.Out.WriteLine(commandLine.Version ? Usage.Version : Usage.Help);
    return 0;
}

NetPaths paths = NetPaths.From(commandLine);
if (commandLine.Signal is { } signal)
{
    return SignalCommand.Run(paths, signal);
}

if (commandLine.Command is not null)
{
    return CommandTable.Run(CommandContext.Of(paths, commandLine));
}

return commandLine.KeyBits is { } bits
    ? KeysCommand.Run(new ConfigDirectory(paths.ConfigDirectory, commandLine.Overrides), bits)
    : RunCommand.Run(paths, commandLine, args);
