using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using FastMesh.Cli.Config;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Cli.Commands;

/// <summary><c>invite NAME</c>: writes an invitation and prints the URL that redeems it (tinc 1.1 reference, 9.3).</summary>
/// <remarks>
/// Unlike tinc it asks no web site for the public address of this host: without an Address line it asks the user, or fails.
/// </remarks>
internal sealed partial class InviteCommand
{
    /// <summary>What stands between the parts of an invitation.</summary>
    public const string Separator = "#---------------------------------------------------------------#";

    private const string DefaultPort = "655";

    /// <summary>tinc clears away invitations of that age, whatever InvitationExpire says.</summary>
    private static readonly TimeSpan s_longestLife = TimeSpan.FromDays(7);

    private readonly CommandContext _context;
    private readonly ConfigDirectory _directory;
    private readonly ConfigReport _report = new();
    private readonly ConfigTree _server;

    private InviteCommand(CommandContext context)
    {
        (_context, _directory) = (context, context.Directory);
        _server = new ConfigTree(_directory.ReadServer(_report), _report);
    }

    /// <summary>Invites a node.</summary>
    public static int Run(CommandContext context)
    {
        try
        {
            return new InviteCommand(context).Invite(context.Arguments[0]);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return context.Fail($"Could not invite {context.Arguments[0]}: {e.Message}");
        }
    }

    private int Invite(string invitee)
    {
        if (!NodeName.IsValid(invitee))
            return _context.Fail("Invalid name for node.");
        if (OwnName.Resolve(_server) is not { } inviter)
            return _context.Fail(_report.Errors[0]);
        if (Path.Exists(_directory.HostFile(invitee)))
            return _context.Fail($"A host config file for {invitee} already exists!");
        if (IsKnownToDaemon(invitee))
            return _context.Fail($"A node named {invitee} is known to the running daemon already!");
        Ed25519Identity? own = _server.Boolean("ExperimentalProtocol") == false ? null : Ed25519Files.ReadPrivate(_server, _directory, required: false);
        if (own is null)
            return _context.Fail(
                (_report.Warnings.Count > 0 ? _report.Warnings[0] : null) ?? "Only a node with an Ed25519 key of its own can invite others: generate-ed25519-keys makes one, and a restart uses it.");
        if (FindAddress(inviter) is not { } address)
            return _context.Fail($"Where can this node be reached? Add a line such as Address = vpn.example.org to {_directory.HostFile(inviter)}.");

        Ed25519Identity key = ReadOrMakeKey(out bool isNew);
        byte[] cookie = new byte[InvitationUrl.PartLength];
        new SystemRandom().Fill(cookie);
        string file = Path.Combine(_directory.InvitationsDirectory, InvitationUrl.FileName(cookie, key.Public));
        AtomicFile.WriteNew(file, Compose(invitee, inviter, own.Public, address.Port), AtomicFile.OwnerOnly);
        if (isNew && !ControlClient.TryReload(_context.Paths))
            _context.Note("The daemon does not run, or could not be told to reload: start it, so that the invitation can be redeemed.");

        InvitationUrl url = new(address, InvitationUrl.HashOf(key.Public), cookie);
        RunScript(inviter, invitee, file, url);
        _context.Output.WriteLine(url);
        return 0;
    }

    private bool IsKnownToDaemon(string node)
    {
        using ControlClient? daemon = ControlClient.Connect(_context.Paths);
        return daemon?.Knows(node) == true;
    }

    private HostPort? FindAddress(string inviter)
    {
        ConfigTree host = new(_directory.ReadHost(inviter, out _), _report);
        string? port = host.Text("Port") ?? _server.Text("Port");
        string usual = port is null or "0" ? ControlClient.PortOf(_context.Paths)?.ToString(CultureInfo.InvariantCulture) ?? (port is null ? DefaultPort : "0") : port;
        string? address = host.Text("Address") ?? _server.Text("Address");
        if (address is null)
        {
            address = _context.Ask("Address or name under which others reach this host", string.Empty);
            if (address.Length == 0)
                return null;
            File.AppendAllText(_directory.HostFile(inviter), $"\nAddress = {address}\n");
        }

        HostPort target = ServerSettings.ParseAddress(address, usual);
        if (!ServiceNames.TryGetPort(target.Port, out ushort number) || number == 0)
            throw new IOException($"Its port \"{target.Port}\" is not a number that others can use; set Port, or start the daemon first");
        return target with { Port = number.ToString(CultureInfo.InvariantCulture) };
    }

    /// <summary>Clears away what has expired. A key that no invitation depends on any more is replaced.</summary>
    private Ed25519Identity ReadOrMakeKey(out bool isNew)
    {
        Directory.CreateDirectory(_directory.InvitationsDirectory, AtomicFile.OwnerDirectory);
        int valid = 0;
        foreach (string file in Directory.EnumerateFiles(_directory.InvitationsDirectory).Where(f => InvitationUrl.IsFileName(Path.GetFileName(f))))
        {
            if (DateTime.UtcNow - File.GetLastWriteTimeUtc(file) > s_longestLife)
                File.Delete(file);
            else
                valid++;
        }

        string path = _directory.InvitationKeyFile;
        isNew = valid == 0 || !File.Exists(path);
        if (!isNew)
        {
            return Ed25519Files.TryRead(path, _report, out Ed25519Identity? key, out string reason)
                ? key : throw new IOException($"Error reading `{path}': {reason}");
        }

        Ed25519Identity made = Ed25519Identity.Generate(new SystemRandom());
        AtomicFile.Write(path, made.ToPem(), AtomicFile.OwnerOnly);
        return made;
    }

    /// <summary>The first part is for the invited node itself, the second is its copy of the inviter's host file.</summary>
    private string Compose(string invitee, string inviter, Ed25519PublicKey own, string port)
    {
        StringBuilder text = new($"Name = {invitee}\n");
        if (_context.Paths.NetName is { } net && JoinPlan.IsStrictNetName(net))
            text.Append($"NetName = {net}\n");
        text.Append($"ConnectTo = {inviter}\n");
        foreach (string variable in (string[])["Mode", "Broadcast"])
        {
            if (_server.First(variable) is { } entry)
                text.Append($"{variable} = {entry.Value}\n");
        }

        text.Append($"{Separator}\nName = {inviter}\n");
        string host = File.Exists(_directory.HostFile(inviter)) ? File.ReadAllText(_directory.HostFile(inviter)) : string.Empty;
        host = host.Length == 0 || host.EndsWith('\n') ? host : host + "\n";
        text.Append(PortLine().Replace(host, $"Port = {port}"));
        if (!PortLine().IsMatch(host) && port != DefaultPort)
            text.Append($"Port = {port}\n");
        if (Ed25519Files.ReadPublic(new ConfigTree(_directory.ReadHost(inviter, out _), _report), inviter, _directory) is null)
            text.Append($"Ed25519PublicKey = {own}\n");
        return text.ToString();
    }

    /// <summary>Runs <c>invitation-created</c>, if there is one; it may edit the file.</summary>
    private void RunScript(string inviter, string invitee, string file, InvitationUrl url)
    {
        string path = Path.Combine(_directory.Root, "invitation-created" + (_server.Text("ScriptsExtension") ?? string.Empty));
        if (!Path.Exists(path))
            return;

        string command = _server.Text("ScriptsInterpreter") is { } interpreter ? $"{interpreter} \"{path}\"" : $"\"{path}\"";
        ProcessStartInfo start = new("/bin/sh", ["-c", $"{command} >&2"]); // what it prints is not part of the URL
        if (_context.Paths.NetName is { } net)
            start.Environment["NETNAME"] = net;
        start.Environment["NAME"] = inviter;
        start.Environment["NODE"] = invitee;
        start.Environment["INVITATION_FILE"] = file;
        start.Environment["INVITATION_URL"] = url.ToString();
        using Process script = Process.Start(start)!;
        script.WaitForExit();
        if (script.ExitCode != 0)
            _context.Note($"Script {Path.GetFileName(path)} exited with status {script.ExitCode}");
    }

    [GeneratedRegex(@"^Port\b[^\r\n]*", RegexOptions.Multiline | RegexOptions.IgnoreCase)]
    private static partial Regex PortLine();
}
