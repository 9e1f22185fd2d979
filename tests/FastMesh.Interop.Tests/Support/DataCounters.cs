using System.Globalization;
using System.Text.RegularExpressions;

namespace FastMesh.Interop.Tests.Support;

/// <summary>What the data path of a FastMesh daemon counted since its start, as USR2 logs it at debug level 5.</summary>
public sealed partial record DataCounters(IReadOnlyDictionary<string, long> Values)
{
    /// <summary>A drop by its reason, or what the device and the sockets carried.</summary>
    public long this[string name] => Values[name];

    /// <summary>Packets dropped for any reason.</summary>
    public long Drops => Values.Where(value => !value.Key.Contains(' ', StringComparison.Ordinal)).Sum(value => value.Value);

    /// <summary>Whether packets longer than a frame were read from the device.</summary>
    public bool HasSuperpackets => this["bytes in"] > 1518 * this["device in"];

    public static DataCounters Of(MeshNode node)
    {
        int mark = node.LogMark();
        node.Signal("USR2");
        node.WaitForLog("^ device packets in: ", mark);
        string[] lines = node.Log(mark);
        Dictionary<string, long> values = [];
        foreach (string line in lines)
        {
            if (Carried().Match(line) is { Success: true } carried)
            {
                foreach ((string name, int group) in (ReadOnlySpan<(string, int)>)[("device in", 1), ("device out", 2), ("datagrams in", 3), ("datagrams out", 4)])
                    values[name] = Number(carried.Groups[group]);
            }
            else if (Bytes().Match(line) is { Success: true } bytes)
            {
                values["bytes " + bytes.Groups[1].Value] = Number(bytes.Groups[2]);
            }
            else if (Dropped().Match(line) is { Success: true } dropped)
            {
                values[dropped.Groups[1].Value] = Number(dropped.Groups[2]);
            }
        }

        return new(values);
    }

    /// <summary>What is not zero.</summary>
    public override string ToString() => string.Join(", ", Values.Where(value => value.Value != 0).Select(value => $"{value.Key} {value.Value}"));

    private static long Number(Group group) => long.Parse(group.ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^ device packets in: (\d+), out: (\d+); datagrams in: (\d+), out: (\d+)$")]
    private static partial Regex Carried();

    [GeneratedRegex(@"^ total bytes (in|out): +(\d+)$")]
    private static partial Regex Bytes();

    [GeneratedRegex(@"^ dropped, (\w+): (\d+)$")]
    private static partial Regex Dropped();
}
