using FastMesh.Cli.Commands;
using FastMesh.Cli.Config;

namespace FastMesh.Cli.Check;

/// <summary>Scripts that will not run, or not as meant.</summary>
internal static class ScriptCheck
{
    private static readonly string[] s_endings = ["-up", "-down"];

    private static readonly string[] s_names =
        ["tinc-up", "tinc-down", "host-up", "host-down", "subnet-up", "subnet-down", "invitation-created", "invitation-accepted"];

    /// <summary>Looks at every script of the net.</summary>
    public static void Run(CheckedNet net)
    {
        ConfigDirectory directory = net.Directory;
        if (!Directory.Exists(directory.Root))
            return;
        string extension = net.Server.Text("ScriptsExtension") ?? string.Empty;
        bool isInterpreted = net.Server.First("ScriptsInterpreter") is not null;
        string[] scripts =
        [
            .. s_names.Select(n => Path.Combine(directory.Root, n + extension)),
            .. Directory.Exists(directory.HostsDirectory) ? Directory.EnumerateFiles(directory.HostsDirectory).Where(f => NodeOf(f, extension) is not null) : [],
        ];
        foreach (string script in scripts.Where(Path.Exists).Order(StringComparer.Ordinal))
            CheckScript(net, script, isInterpreted);

        foreach (string file in Directory.EnumerateFiles(directory.Root).Except(scripts))
        {
            string name = Path.GetFileNameWithoutExtension(file);
            if (s_names.Contains(name) && !file.EndsWith(".invitation", StringComparison.Ordinal))
                net.Note(file, $"Never run: the script is called {name}{extension}", $"rename it to {name}{extension}, or remove it");
        }

        if (File.Exists(scripts[0]) && new FileInfo(scripts[0]).Length < InitCommand.PlaceholderScript.Length * 2
            && File.ReadAllText(scripts[0]) == InitCommand.PlaceholderScript && net.Server.First("Ifconfig") is null)
            net.Note(scripts[0], "It still has to be written: the interface gets no address", "put the address of this node there");
        if (!File.Exists(scripts[0]) && net.Server.First("Ifconfig") is null)
            net.Note(directory.Root, $"There is no tinc-up{extension}: who gives the interface its address?", "write one, unless the system's network configuration does it");
    }

    /// <summary>The node of a script in hosts, or null if the file is none.</summary>
    /// <param name="path">The file.</param>
    /// <param name="extension">ScriptsExtension.</param>
    public static string? NodeOf(string path, string extension)
    {
        string name = Path.GetFileName(path);
        string? end = s_endings.FirstOrDefault(e => name.EndsWith(e + extension, StringComparison.Ordinal));
        return end is null ? null : name[..^(end + extension).Length];
    }

    private static void CheckScript(CheckedNet net, string path, bool isInterpreted)
    {
        if (Directory.Exists(path))
        {
            net.Warn(path, "A directory stands where a script is looked for", "remove or rename it");
            return;
        }

        const UnixFileMode Execute = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
        if (!isInterpreted && (File.GetUnixFileMode(path) & Execute) == 0)
            net.Warn(path, "Not executable: it fails whenever it is due", $"chmod +x {path}");
        if (isInterpreted)
            return;

        string first = FirstLine(path);
        if (!first.StartsWith("#!", StringComparison.Ordinal))
        {
            if (!first.StartsWith("\x7fELF", StringComparison.Ordinal))
                net.Note(path, "No interpreter in the first line: it is run by sh", "begin it with #!/bin/sh");
            return;
        }

        string[] words = first[2..].Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
        if (first.EndsWith('\r'))
            net.Warn(path, "Its lines end with carriage returns, so that its interpreter is not found", $"sed -i 's/\\r$//' {path}");
        else if (words.Length == 0 || !File.Exists(words[0]))
            net.Warn(path, $"Its interpreter {words.FirstOrDefault()} does not exist", "install it, or name another one in the first line");
    }

    private static string FirstLine(string path)
    {
        Span<byte> start = stackalloc byte[256];
        try
        {
            using FileStream file = File.OpenRead(path);
            start = start[..file.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "#!/bin/sh"; // a binary or a secret of someone else's: nothing to say
        }

        int end = start.IndexOf((byte)'\n');
        return System.Text.Encoding.Latin1.GetString(end < 0 ? start : start[..end]);
    }
}
