using System.Globalization;
using System.Net;
using System.Net.Sockets;
using FastMesh.Cli.Config;
using FastMesh.Engine.Wire;

namespace FastMesh.Cli.Commands;

/// <summary><c>init</c>: a configuration that can be started, or edited first (tinc 1.1 reference, 10.3).</summary>
internal static class InitCommand
{
    /// <summary>What a <c>tinc-up</c> is as long as nobody has said which addresses the interface has.</summary>
    public const string PlaceholderScript = """
        #!/bin/sh
        # Give the interface its address by a line such as Ifconfig = 10.6.0.1/24 in tinc.conf, or here, for example:
        #   ip link set dev "$INTERFACE" up
        #   ip addr add 10.6.0.1/24 dev "$INTERFACE"
        grep -qsi '^[[:space:]]*Ifconfig' "${0%/*}/tinc.conf" || echo "$0 does not say yet which address $INTERFACE has: edit it" >&2

        """;

    private const int RsaBits = 2048, UsualPort = 655, FirstPort = 4096, LastPort = 36863;

    /// <summary>Makes the files, all or none.</summary>
    public static int Run(CommandContext context)
    {
        ConfigDirectory directory = context.Directory;
        if (Path.Exists(directory.ServerFile))
            return context.Fail($"Configuration file {directory.ServerFile} already exists!");
        string name = context.Arguments.Count > 0 ? context.Arguments[0] : context.Ask("Name of this node", string.Empty);
        if (name.Length == 0)
            return context.Fail("No Name given!");
        if (!NodeName.IsValid(name))
            return context.Fail("Invalid Name! Only a-z, A-Z, 0-9 and _ are allowed characters.");
        try
        {
            using StagedFiles files = new();
            AddNode(files, context, directory, name, string.Empty, NewKeys.Generate(RsaBits, context.Error));
            string script = Path.Combine(directory.Root, "tinc-up");
            if (!Path.Exists(script))
                files.Add(script, PlaceholderScript, AtomicFile.Executable);
            files.Add(directory.ServerFile, $"Name = {name}\n", AtomicFile.Readable);
            files.Commit();
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return context.Fail($"Nothing was written: {e.Message}");
        }
    }

    /// <summary>Adds directories, keys and host file of a new node. The usual port is replaced by a random one if it is taken.</summary>
    /// <param name="files">Where to add them.</param>
    /// <param name="context">For messages.</param>
    /// <param name="directory">The new directory.</param>
    /// <param name="name">The new node.</param>
    /// <param name="hostLines">What the host file begins with.</param>
    /// <param name="keys">Its keys.</param>
    public static void AddNode(
        StagedFiles files, CommandContext context, ConfigDirectory directory, string name, string hostLines, NewKeys keys)
    {
        files.MakeDirectory(directory.Root, AtomicFile.Executable);
        files.MakeDirectory(directory.HostsDirectory, AtomicFile.Executable);
        files.MakeDirectory(Path.Combine(directory.Root, "cache"), AtomicFile.Executable);
        string port = PickPort() is { } picked ? string.Create(CultureInfo.InvariantCulture, $"Port = {picked}\n") : string.Empty;
        if (port.Length > 0)
            context.Note($"Port {UsualPort} is taken; this node will use another one: {port.Trim()}");
        files.Add(directory.PrivateKeyFile, keys.RsaPrivate, AtomicFile.OwnerOnly);
        files.Add(directory.Ed25519PrivateKeyFile, keys.Ed25519Private, AtomicFile.OwnerOnly);
        files.Add(directory.HostFile(name), hostLines + port + keys.PublicLines, AtomicFile.Readable);
    }

    /// <summary>A port to use instead of 655, or null if that one is free.</summary>
    private static int? PickPort()
    {
        if (IsFree(UsualPort))
            return null;
        for (int attempt = 0; attempt < 100; attempt++)
        {
            int port = Random.Shared.Next(FirstPort, LastPort + 1);
            if (IsFree(port))
                return port;
        }

        return null;
    }

    private static bool IsFree(int port)
        => CanBind(port, AddressFamily.InterNetwork, IPAddress.Any) && CanBind(port, AddressFamily.InterNetworkV6, IPAddress.IPv6Any);

    /// <summary>Only a port that is in use, or reserved to root, cannot be bound; that there is no IPv6 does not count.</summary>
    private static bool CanBind(int port, AddressFamily family, IPAddress any)
    {
        try
        {
            using Socket tcp = new(family, SocketType.Stream, ProtocolType.Tcp), udp = new(family, SocketType.Dgram, ProtocolType.Udp);
            tcp.Bind(new IPEndPoint(any, port));
            udp.Bind(new IPEndPoint(any, port));
            return true;
        }
        catch (SocketException e)
        {
            return e.SocketErrorCode is not (SocketError.AddressAlreadyInUse or SocketError.AccessDenied);
        }
    }
}
