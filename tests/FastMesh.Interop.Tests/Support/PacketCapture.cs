using System.Diagnostics;
using System.Text.RegularExpressions;

namespace FastMesh.Interop.Tests.Support;

/// <summary>A tcpdump on one interface of a host, one line of text per packet (continuation lines are joined).</summary>
public sealed class PacketCapture
{
    private readonly List<string> _lines = [];

    /// <summary>Starts to listen; returns when the packet socket is open.</summary>
    public PacketCapture(NetworkHost host, string device, string filter, params string[] options)
    {
        Process process = host.Start(["tcpdump", "-l", "-n", "-t", "--immediate-mode", "-i", device, .. options, filter]);
        bool listening = false;
        process.OutputDataReceived += (_, line) => Append(line.Data);
        process.ErrorDataReceived += (_, line) => listening |= line.Data?.Contains("listening on", StringComparison.Ordinal) == true;
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        Poll.Until(() => listening, () => $"tcpdump on {host.Name} {device} did not start");
    }

    public string[] Packets()
    {
        lock (_lines) return [.. _lines];
    }

    public int Count(string pattern) => Packets().Count(packet => Regex.IsMatch(packet, pattern));

    /// <summary>Waits for a packet whose text matches.</summary>
    public Match WaitFor(string pattern)
    {
        Match? found = null;
        Poll.Until(() => (found = Packets().Select(packet => Regex.Match(packet, pattern)).FirstOrDefault(match => match.Success)) is not null,
            () => $"no packet matches /{pattern}/ among\n{string.Join('\n', Packets())}");
        return found!;
    }

    private void Append(string? line)
    {
        if (line is null) return;
        lock (_lines)
        {
            if (_lines.Count > 0 && line.Length > 0 && char.IsWhiteSpace(line[0])) _lines[^1] += " | " + line.Trim();
            else _lines.Add(line);
        }
    }
}
