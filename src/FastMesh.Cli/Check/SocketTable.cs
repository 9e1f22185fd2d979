using System.Globalization;
using System.Net;

namespace FastMesh.Cli.Check;

/// <summary>One TCP socket as the kernel lists it.</summary>
/// <param name="Local">This end.</param>
/// <param name="Remote">The other end.</param>
/// <param name="State">TCP state: 1 established, 10 listening.</param>
/// <param name="Inode">By which the process that has it is found.</param>
internal readonly record struct TcpEntry(IPEndPoint Local, IPEndPoint Remote, int State, string Inode);

/// <summary>The TCP sockets of a network namespace, from /proc (proc_pid_net(5)).</summary>
internal static class SocketTable
{
    private const int Established = 1, Listening = 10;

    private static readonly string[] s_files = ["tcp", "tcp6"];

    /// <summary>The other ends of a process's established connections.</summary>
    public static IReadOnlyList<TcpEntry> ConnectionsOf(int process)
    {
        HashSet<string> inodes = InodesOf($"/proc/{process}");
        return [.. Read($"/proc/{process}/net").Where(e => e.State == Established && inodes.Contains(e.Inode))];
    }

    /// <summary>The program that listens on a port, such as <c>nginx (process 12)</c>, or null if that cannot be told.</summary>
    public static string? ListenerOn(string port)
    {
        HashSet<string> wanted = [.. Read("/proc/net").Where(e => e.State == Listening && $"{e.Local.Port}" == port).Select(e => e.Inode)];
        foreach (string process in Directory.EnumerateDirectories("/proc").Where(d => char.IsAsciiDigit(Path.GetFileName(d)[0])))
        {
            if (wanted.Overlaps(InodesOf(process)))
                return $"{Attempt(() => File.ReadAllText(process + "/comm"), "a program").Trim()} (process {Path.GetFileName(process)})";
        }

        return null;
    }

    /// <summary>Reads a table of that form: number, local and remote address in hexadecimal, state, five columns, inode.</summary>
    internal static IEnumerable<TcpEntry> Parse(string text)
    {
        foreach (string line in text.Split('\n').Skip(1))
        {
            string[] fields = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length > 9 && TryParse(fields[1], out IPEndPoint local) && TryParse(fields[2], out IPEndPoint remote)
                && int.TryParse(fields[3], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out int state))
                yield return new(local, remote, state, fields[9]);
        }
    }

    private static IEnumerable<TcpEntry> Read(string directory)
        => s_files.SelectMany(f => Parse(Attempt(() => File.ReadAllText($"{directory}/{f}"), string.Empty)));

    /// <summary>What <c>socket:[INODE]</c> the descriptors of a process are.</summary>
    private static HashSet<string> InodesOf(string process) => Attempt(
        () => Directory.EnumerateFileSystemEntries(process + "/fd")
            .Select(fd => Attempt(() => new FileInfo(fd).LinkTarget, null))
            .Where(t => t is not null && t.StartsWith("socket:[", StringComparison.Ordinal))
            .Select(t => t![8..^1]).ToHashSet(),
        []);

    /// <summary>Address bytes are printed as numbers of 32 bits in the machine's order.</summary>
    private static bool TryParse(string text, out IPEndPoint point)
    {
        point = new IPEndPoint(IPAddress.None, 0);
        string[] parts = text.Split(':');
        if (parts.Length != 2 || parts[0].Length is not (8 or 32)
            || !ushort.TryParse(parts[1], NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ushort port))
            return false;
        byte[] address = new byte[parts[0].Length / 2];
        for (int i = 0; i < address.Length; i += 4)
        {
            if (!uint.TryParse(parts[0].AsSpan(i * 2, 8), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out uint word))
                return false;
            BitConverter.TryWriteBytes(address.AsSpan(i), word);
        }

        IPAddress parsed = new(address);
        point = new IPEndPoint(parsed.IsIPv4MappedToIPv6 ? parsed.MapToIPv4() : parsed, port);
        return true;
    }

    /// <summary>Processes come and go, and those of others are not for us.</summary>
    private static T Attempt<T>(Func<T> read, T otherwise)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return otherwise;
        }
    }
}
