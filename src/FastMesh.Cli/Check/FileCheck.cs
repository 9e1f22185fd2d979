using FastMesh.Cli.Config;
using FastMesh.Engine.Daemon;

namespace FastMesh.Cli.Check;

/// <summary>Who may read and write what: whoever can write here commands a daemon that runs as root.</summary>
internal static class FileCheck
{
    private const uint Root = 0;

    /// <summary>Looks at every directory and file that the daemon reads or runs.</summary>
    public static void Run(CheckedNet net)
    {
        ConfigDirectory directory = net.Directory;
        if (!Directory.Exists(directory.Root))
            return;
        string confd = Path.Combine(directory.Root, "conf.d");
        uint[] trusted = ProcessHost.TryGetOwner("/proc/self", out uint own, out _) ? [Root, own] : [Root];
        foreach (string folder in new[] { directory.Root, directory.HostsDirectory, confd, directory.InvitationsDirectory }.Where(Directory.Exists))
        {
            CheckOwner(net, folder, trusted);
            foreach (string file in Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal))
                CheckOwner(net, file, trusted);
        }

        CheckSecrets(net);
        if (!Directory.Exists(confd))
            return;
        foreach (string path in Directory.EnumerateFileSystemEntries(confd).Except(directory.ServerFiles()).Order(StringComparer.Ordinal))
            net.Note(path, "Not read: names of files in conf.d end in .conf", "rename or remove it");
    }

    private static void CheckOwner(CheckedNet net, string path, uint[] trusted)
    {
        if (!Path.Exists(path) || !ProcessHost.TryGetOwner(path, out uint user, out uint group))
            return; // a link to nowhere
        UnixFileMode mode = File.GetUnixFileMode(path);
        string kind = Directory.Exists(path) ? "directory" : "file";
        if (mode.HasFlag(UnixFileMode.OtherWrite))
            net.Warn(path, $"Everybody may write this {kind}, and so command the daemon", $"chmod o-w {path}");
        else if (mode.HasFlag(UnixFileMode.GroupWrite) && group != Root)
            net.Warn(path, $"A group other than root's may write this {kind}, and so command the daemon", $"chmod g-w {path}");
        if (!trusted.Contains(user))
            net.Warn(path, $"This {kind} belongs to user {user}, who so can command the daemon", $"chown root {path}");
    }

    private static void CheckSecrets(CheckedNet net)
    {
        string[] folders = [net.Directory.Root, net.Directory.StateDirectory, net.Directory.InvitationsDirectory];
        foreach (string path in folders.Where(Directory.Exists).SelectMany(f => Directory.EnumerateFiles(f, "*.priv")).Where(File.Exists))
            KeyFiles.WarnIfOthersMayRead(path, Path.GetFileName(path).StartsWith("ed25519", StringComparison.Ordinal) ? "Ed25519" : "RSA", net.Report);
    }
}
