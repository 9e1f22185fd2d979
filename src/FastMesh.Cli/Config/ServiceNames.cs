using System.Globalization;

namespace FastMesh.Cli.Config;

/// <summary>Port numbers by number or by name from /etc/services.</summary>
internal static class ServiceNames
{
    private const string Services = "/etc/services";

    /// <summary>Reads a port; a name must be that of a UDP service, because tinc resolves it for UDP.</summary>
    public static bool TryResolve(string text, out int port)
    {
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port))
            return port <= ushort.MaxValue;

        foreach (string line in File.Exists(Services) ? File.ReadLines(Services) : [])
        {
            // NAME PORT/PROTOCOL [ALIAS...] [# COMMENT]
            string[] words = line.Split('#')[0].Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (words.Length >= 2 && words[1].EndsWith("/udp", StringComparison.Ordinal) && words.Where((_, i) => i != 1).Contains(text))
                return int.TryParse(words[1].Split('/')[0], NumberStyles.None, CultureInfo.InvariantCulture, out port);
        }

        return false;
    }
}
