using System.Text.RegularExpressions;
using FastMesh.Engine.Wire;

namespace FastMesh.Cli.Config;

/// <summary>The Name of this node, which may stand in an environment variable (tinc 1.0 reference, 2.3).</summary>
internal static partial class OwnName
{
    /// <summary>Looks the name up; if there is no valid one, the tree's report says why and the result is null.</summary>
    public static string? Resolve(ConfigTree server)
    {
        if (server.First("Name") is not { } entry)
        {
            server.Report.Fail("Name for tinc daemon required! Set it in tinc.conf: Name = NAME", file: null, 0, "add a line Name = NAME");
            return null;
        }

        string? name = entry.Value.StartsWith('$') ? FromEnvironment(entry, server.Report) : entry.Value;
        if (name is null || NodeName.IsValid(name))
        {
            return name;
        }

        server.Report.Fail(entry, $"Invalid name for myself! \"{name}\"", "a name consists of ASCII letters, digits and underscores");
        return null;
    }

    private static string? FromEnvironment(ConfigEntry entry, ConfigReport report)
    {
        string variable = entry.Value[1..];
        string? value = Environment.GetEnvironmentVariable(variable);
        if (value is null && variable == "HOST")
        {
            value = File.ReadAllText("/proc/sys/kernel/hostname").Trim();
        }

        if (value is null)
        {
            report.Fail(entry, $"Invalid Name: environment variable {variable} does not exist", "set it before the start");
            return null;
        }

        return NotAlphanumeric().Replace(value, "_");
    }

    [GeneratedRegex("[^A-Za-z0-9]")]
    private static partial Regex NotAlphanumeric();
}
