using System.Runtime.InteropServices;
using System.Text;
using FastMesh.Cli.Config;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Cli.Commands;

/// <summary>
/// <c>join [URL]</c>: becomes a node of a net by an invitation (tinc 1.1 reference, 9.4). Everything that can fail without the inviter is tried before
/// the invitation is used up; the files come into place together, when the inviter has confirmed.
/// </summary>
internal sealed class JoinCommand(CommandContext context) : IDisposable
{
    private const int RsaBits = 2048;

    private readonly StagedFiles _files = new();

    /// <summary>Joins.</summary>
    public static int Run(CommandContext context)
    {
        string text = context.Arguments.Count > 0 ? context.Arguments[0]
            : context.Interactive ? context.Ask("URL of the invitation", string.Empty)
            : context.Input.ReadLine()?.Trim() ?? string.Empty;
        if (!InvitationUrl.TryParse(text, out InvitationUrl? url))
            return context.Fail("Invalid invitation URL.");

        using JoinCommand command = new(context);
        using (command.CleanUpOn(PosixSignal.SIGINT))
        using (command.CleanUpOn(PosixSignal.SIGTERM))
        using (command.CleanUpOn(PosixSignal.SIGHUP))
        {
            try
            {
                return command.Join(url);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
            {
                return context.Fail($"Could not join: {e.Message}");
            }
        }
    }

    /// <summary>Removes what has not come into place.</summary>
    public void Dispose() => _files.Dispose();

    private bool HasDirectory => context.Line.ConfigDirectory is not null;

    private int Join(InvitationUrl url)
    {
        if (HasDirectory && InUse(context.Directory) is { } file)
            return context.Fail($"{file} already exists!");
        if (HasDirectory)
            _files.MakeDirectory(context.Directory.Root, AtomicFile.Executable);
        NewKeys keys = NewKeys.Generate(RsaBits, context.Error); // first: the inviter waits only seconds for the answer

        using InvitationClient client = InvitationClient.Connect(url);
        context.Note($"Connected to {client.Inviter} at {url.Address}...");
        byte[] invitation = client.Receive();
        JoinPlan plan = JoinPlan.Parse(Encoding.UTF8.GetString(invitation), context.Line.Force, context.Note);
        ConfigDirectory directory = ChooseDirectory(plan);
        string script = Stage(directory, plan, invitation, keys);
        client.Confirm(keys.Ed25519Public);
        _files.Commit();

        context.Note($"Configuration stored in: {directory.Root}");
        context.Note("Invitation successfully accepted.");
        OfferScript(script);
        return 0;
    }

    /// <summary>An explicit directory, else that of the net's name, else one with a name nobody uses.</summary>
    private ConfigDirectory ChooseDirectory(JoinPlan plan)
    {
        if (HasDirectory)
            return context.Directory;
        string? net = context.Paths.NetName ?? plan.NetName;
        string root = net is null ? NetPaths.ConfigRoot : Path.Combine(NetPaths.ConfigRoot, net);
        while (InUse(new ConfigDirectory(root, [])) is { } file)
        {
            string other = $"join_{Random.Shared.Next():x8}";
            context.Note($"{file} already exists.");
            other = context.Ask("Another name for the net", other);
            if (!JoinPlan.IsStrictNetName(other))
                throw new InvalidDataException($"{other} cannot be the name of a net; the invitation is used up");
            root = Path.Combine(NetPaths.ConfigRoot, other);
        }

        return new ConfigDirectory(root, []);
    }

    /// <summary>What of a node is there already, or null. What a killed join has left aside does not count.</summary>
    private static string? InUse(ConfigDirectory directory)
    {
        string[] files = [directory.ServerFile, directory.PrivateKeyFile, directory.Ed25519PrivateKeyFile];
        return files.FirstOrDefault(Path.Exists)
            ?? (Directory.Exists(directory.HostsDirectory)
                ? Directory.EnumerateFiles(directory.HostsDirectory).FirstOrDefault(f => NodeName.IsValid(Path.GetFileName(f))) : null);
    }

    /// <summary>Prepares all files and returns the path of the script that awaits the user's consent, or nothing.</summary>
    private string Stage(ConfigDirectory directory, JoinPlan plan, byte[] invitation, NewKeys keys)
    {
        InitCommand.AddNode(_files, context, directory, plan.Name, plan.HostLines, keys);
        foreach ((string name, string text) in plan.Hosts)
            _files.Add(directory.HostFile(name), text, AtomicFile.Readable);
        _files.Replace(Path.Combine(directory.Root, "invitation-data"), Encoding.UTF8.GetString(invitation), AtomicFile.OwnerOnly);

        string tincUp = Path.Combine(directory.Root, "tinc-up"), proposed = tincUp + ".invitation";
        bool isPlaceholder = plan.Script.IsEmpty;
        if (!isPlaceholder && !context.Line.Force)
            _files.Replace(proposed, plan.Script.ToString(), AtomicFile.Readable);
        else if (!Path.Exists(tincUp))
            _files.Add(tincUp, isPlaceholder ? InitCommand.PlaceholderScript : plan.Script.ToString(), AtomicFile.Executable);
        _files.Add(directory.ServerFile, plan.ServerLines, AtomicFile.Readable);
        return isPlaceholder || context.Line.Force ? string.Empty : proposed;
    }

    private void OfferScript(string proposed)
    {
        if (proposed.Length == 0)
            return;
        string tincUp = proposed[..^".invitation".Length];
        context.Note($"The inviter proposes this tinc-up:\n{File.ReadAllText(proposed)}");
        if (context.Ask("Use it? (yes or no)", "no").StartsWith("y", StringComparison.OrdinalIgnoreCase))
        {
            File.SetUnixFileMode(proposed, AtomicFile.Executable);
            File.Move(proposed, tincUp, overwrite: true);
        }
        else
        {
            context.Note($"It is left disabled as {proposed}; to use it: mv {proposed} {tincUp} && chmod +x {tincUp}");
        }
    }

    private PosixSignalRegistration CleanUpOn(PosixSignal signal) => PosixSignalRegistration.Create(signal, _ =>
    {
        _files.Dispose();
        Environment.Exit(1);
    });
}
