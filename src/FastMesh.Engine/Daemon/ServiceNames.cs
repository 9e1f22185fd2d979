using System.Globalization;

namespace FastMesh.Engine.Daemon;

/// <summary>Port numbers and their names in <c>/etc/services</c>.</summary>
public static class ServiceNames
{
    private const string Database = "/etc/services";

    /// <summary>Reads a port number, or looks a service name up; false if there is none of that name.</summary>
    /// <param name="text">Number from 0 to 65535, or a name; an alias will do.</param>
    /// <param name="port">The port.</param>
    public static bool TryGetPort(string text, out ushort port)
    {
        if (ushort.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out port))
            return true;
        try
        {
            return TryFind(File.ReadLines(Database), text, out port);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Finds a name or alias among lines such as <c>http 80/tcp www # comment</c>.</summary>
    internal static bool TryFind(IEnumerable<string> lines, string name, out ushort port)
    {
        port = 0;
        foreach (string line in lines)
        {
            string[] fields = line.Split('#')[0].Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length < 2 || (fields[0] != name && !fields.AsSpan(2).Contains(name)))
                continue;
            string number = fields[1].Split('/')[0];
            if (ushort.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out port))
                return true;
        }

        return false;
    }
}
