using System.Reflection;
using FastMesh.Cli.Commands;

namespace FastMesh.Cli;

/// <summary>What <c>--help</c> and <c>--version</c> print.</summary>
internal static class Usage
{
    /// <summary>The usage text.</summary>
    public static string Help => """
        Usage: fastmesh [option]...
               fastmesh [option]... command [argument]...

          -c, --config=DIR               Read configuration options from DIR.
          -D, --no-detach                Don't fork and detach.
          -d, --debug[=LEVEL]            Increase debug level or set it to LEVEL.
          -k, --kill[=SIGNAL]            Attempt to kill a running fastmesh and exit.
          -n, --net=NETNAME              Connect to net NETNAME.
          -K, --generate-keys[=BITS]     Generate public/private RSA keypair.
          -L, --mlock                    Lock fastmesh into main memory.
              --logfile[=FILENAME]       Write log entries to a logfile.
              --pidfile=FILENAME         Write PID to FILENAME.
          -o, --option=[HOST.]KEY=VALUE  Set global/host configuration value.
          -R, --chroot                   chroot to NET dir at startup.
          -U, --user=USER                setuid to given USER at startup.
              --workers=N                Run the data path on N threads, or as many as the machine is good for: auto.
              --cpus=LIST                Run the data path on these processors, such as 0-3,6.
              --no-offload[=LIST]        Have the kernel neither cut nor merge packets; of LIST: vnet,csum,tso,ecn,uso,gso,gro.
              --crypto=LIBRARY           Encrypt with ipsec-mb or openssl instead of the faster one there is: auto.
              --io=auto|uring|mmsg       Move packets by io_uring, or by plain system calls.
          -b, --batch                    Commands don't ask for anything.
              --force                    Commands do what they would only warn of.
              --json                     Commands print JSON instead of text.
              --help                     Display this help and exit.
              --version                  Output version information and exit.

        Commands:
        """ + Commands + """


        The manual page fastmesh(8) says more.
        """;

    private static string Commands => string.Concat(CommandTable.Commands.Select(c => $"\n  {$"{c.Name} {c.Arguments}",-28} {c.Summary}"));

    /// <summary>The program's version.</summary>
    public static string VersionNumber { get; } =
        typeof(Usage).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    /// <summary>The version text; its first line names the tinc that this program stands in for, which scripts look for.</summary>
    public static string Version => $"""
        fastmesh {VersionNumber} (tinc 1.0.36 compatible, protocol 17.0 and 17.7)
        Copyright (C) The FastMesh developers, MIT license.
        """;
}
