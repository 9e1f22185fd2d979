using System.Text;
using FastMesh.Engine.Wire;

namespace FastMesh.Cli.Check;

/// <summary>What lies in <c>hosts</c>: names that name nobody, and secrets that would be handed out with the files.</summary>
internal static class HostsCheck
{
    /// <summary>Looks at every file in it.</summary>
    public static void Run(CheckedNet net)
    {
        string hosts = net.Directory.HostsDirectory;
        if (!Directory.Exists(hosts))
        {
            if (Directory.Exists(net.Directory.Root))
                net.Warn(hosts, "There is no such directory: no other node is known", $"mkdir {hosts}, and put the host files of the other nodes there");
            return;
        }

        string extension = net.Server.Text("ScriptsExtension") ?? string.Empty;
        string[] files = [.. Directory.EnumerateFiles(hosts).Order(StringComparer.Ordinal)];
        string[] nodes = [.. files.Select(f => Path.GetFileName(f)).Where(n => NodeName.IsValid(n))];
        foreach (string file in files)
        {
            string name = Path.GetFileName(file);
            if (NodeName.IsValid(name))
                CheckSecrets(net, file);
            else if (ScriptCheck.NodeOf(file, extension) is not { } node)
                TellName(net, file, name);
            else if (!nodes.Contains(node))
                net.Note(file, $"Runs for the node {node}, which has no host file", "rename it if that is not what it is called");
        }

        foreach (IGrouping<string, string> alike in nodes.GroupBy(n => n, StringComparer.OrdinalIgnoreCase).Where(g => g.Count() > 1))
            net.Warn(net.Directory.HostFile(alike.Last()), $"{string.Join(" and ", alike)} differ only in case, but are different nodes", "remove the file whose name is not spelt as its node's Name");
        foreach (string folder in Directory.EnumerateDirectories(hosts))
            net.Note(folder, "Not read: directories in hosts name no nodes", "remove it");
    }

    /// <summary>Backups of editors and package managers have a dot or a tilde; any other name is likely meant as a node's.</summary>
    private static void TellName(CheckedNet net, string file, string name)
    {
        const string Problem = "Not read: names of nodes have letters, digits and underscores only";
        if (name.Contains('.', StringComparison.Ordinal) || name.EndsWith('~'))
            net.Note(file, Problem, "remove it if nobody needs it");
        else
            net.Warn(file, Problem, "name it as the node's tinc.conf does");
    }

    private static void CheckSecrets(CheckedNet net, string file)
    {
        try
        {
            string text = File.ReadAllText(file, Encoding.Latin1);
            if (text.Contains("PRIVATE KEY-----", StringComparison.Ordinal))
                net.Warn(file, "There is a private key in it, and host files are handed out", "make a new key pair, and leave only public keys here");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Reading it for its values has been reported already.
        }
    }
}
