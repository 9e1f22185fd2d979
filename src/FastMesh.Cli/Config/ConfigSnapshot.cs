using FastMesh.Engine.Daemon;

namespace FastMesh.Cli.Config;

/// <summary>All values of a net as they were read at one moment, to be compared with those of another.</summary>
/// <param name="Own">What counts for this node: tinc.conf, conf.d, the own host file, options.</param>
/// <param name="Hosts">The host files of other nodes by name.</param>
internal sealed record ConfigSnapshot(ConfigTree Own, IReadOnlyDictionary<string, ConfigFile> Hosts)
{
    /// <summary>
    /// What is in force after a reload to <paramref name="next"/>: values that only a start can change stay, so that later comparisons go on
    /// to name them.
    /// </summary>
    public ConfigSnapshot AfterReload(ConfigSnapshot next)
    {
        IEnumerable<ConfigEntry> entries = Own.Entries.Where(NeedsRestart).Concat(next.Own.Entries.Where(entry => !NeedsRestart(entry)));
        return next with { Own = new ConfigTree(entries, next.Own.Report) };
    }

    /// <summary>The values that differ, this node's own first, then by node.</summary>
    public IEnumerable<VariableChange> ChangesTo(ConfigSnapshot next)
    {
        bool strict = (Own.Boolean("StrictSubnets") ?? false) || (Own.Boolean("TunnelServer") ?? false);
        IEnumerable<string> kept = Hosts.Keys.Intersect(next.Hosts.Keys).Order(StringComparer.Ordinal);
        return Compare(Own, next.Own, host: null, variable => EffectOf(variable, ConfigScope.Server)).Concat(kept.SelectMany(name => Compare(
            TreeOf(Hosts[name]), TreeOf(next.Hosts[name]), name,
            variable => variable.Name == "Subnet" && !strict ? ChangeEffect.None : EffectOf(variable, ConfigScope.Peer))));
    }

    /// <summary>The host files that came, went, or hold other key blocks, by name.</summary>
    public IEnumerable<HostChange> HostChangesTo(ConfigSnapshot next)
    {
        foreach (string name in Hosts.Keys.Union(next.Hosts.Keys).Order(StringComparer.Ordinal))
        {
            ConfigFile? before = Hosts.GetValueOrDefault(name), after = next.Hosts.GetValueOrDefault(name);
            if (before is null)
                yield return new HostChange(name, HostFileChange.Added, after!.Path);
            else if (after is null)
                yield return new HostChange(name, HostFileChange.Removed, before.Path);
            else if (before.Blocks != after.Blocks)
                yield return new HostChange(name, HostFileChange.KeyChanged, after.Path);
        }
    }

    private static ConfigTree TreeOf(ConfigFile file) => new(file.Entries, new ConfigReport());

    private static bool NeedsRestart(ConfigEntry entry) =>
        ConfigSchema.Find(entry.Variable) is { } known && EffectOf(known, ConfigScope.Server) == ChangeEffect.Restart;

    private static ChangeEffect EffectOf(ConfigVariable variable, ConfigScope scope)
    {
        if ((variable.Scope & scope) == 0 || variable.Support == ConfigSupport.NotBuilt)
            return ChangeEffect.None;
        return ((scope == ConfigScope.Server ? variable.OwnReload : null) ?? variable.Reload) switch
        {
            ConfigReload.Reload => ChangeEffect.Reload,
            ConfigReload.Connection => ChangeEffect.NextConnection,
            ConfigReload.Use => ChangeEffect.NextUse,
            _ => ChangeEffect.Restart,
        };
    }

    private static IEnumerable<VariableChange> Compare(ConfigTree before, ConfigTree after, string? host, Func<ConfigVariable, ChangeEffect> effect)
    {
        IEnumerable<string> names = before.Entries.Concat(after.Entries).Select(entry => entry.Variable).Where(name => name.Length > 0)
            .Distinct(StringComparer.OrdinalIgnoreCase).Order(StringComparer.OrdinalIgnoreCase);
        foreach (string name in names)
        {
            ConfigVariable? known = ConfigSchema.Find(name);
            ChangeEffect when = known is null ? ChangeEffect.None : effect(known);
            IEnumerable<(ConfigEntry? Old, ConfigEntry? New)> pairs = known is { Multiple: true }
                ? CompareLists([.. before.All(name)], [.. after.All(name)])
                : before.Text(name) == after.Text(name) ? [] : [(before.First(name), after.First(name))];
            foreach ((ConfigEntry? old, ConfigEntry? now) in pairs)
                yield return new VariableChange(known?.Name ?? name, host, Placed(old), Placed(now), when);
        }
    }

    private static IEnumerable<(ConfigEntry? Old, ConfigEntry? New)> CompareLists(IReadOnlyList<ConfigEntry> before, IReadOnlyList<ConfigEntry> after) =>
    [
        .. before.ExceptBy(after.Select(entry => entry.Value), entry => entry.Value).Select(entry => ((ConfigEntry?)entry, (ConfigEntry?)null)),
        .. after.ExceptBy(before.Select(entry => entry.Value), entry => entry.Value).Select(entry => ((ConfigEntry?)null, (ConfigEntry?)entry)),
    ];

    private static PlacedValue? Placed(ConfigEntry? entry) => entry is null ? null : new PlacedValue(WithoutSecrets(entry), entry.Place);

    /// <summary>The value but for a private key, and for what follows the port of a proxy: user and password.</summary>
    private static string WithoutSecrets(ConfigEntry entry)
    {
        const string Hidden = "(secret)";
        if (entry.Variable.Equals("PrivateKey", StringComparison.OrdinalIgnoreCase))
            return Hidden;
        string[] words = entry.Value.Split(' ', 4);
        bool hasUser = entry.Variable.Equals("Proxy", StringComparison.OrdinalIgnoreCase) && words.Length == 4
            && !words[0].Equals("exec", StringComparison.OrdinalIgnoreCase);
        return hasUser ? $"{words[0]} {words[1]} {words[2]} {Hidden}" : entry.Value;
    }
}
