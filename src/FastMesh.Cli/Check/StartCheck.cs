using System.Text;
using FastMesh.Cli.Config;
using FastMesh.Cli.Logging;
using FastMesh.Engine;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.DataPath;
using Microsoft.Extensions.Logging;

namespace FastMesh.Cli.Check;

/// <summary>What a start would run into after the files: user, processors, device, sockets. Tried, as far as nobody notices.</summary>
internal static class StartCheck
{
    /// <summary>IFNAMSIZ without its final zero.</summary>
    private const int MaxInterfaceName = 15;

    /// <summary>Tries.</summary>
    /// <param name="net">What is checked.</param>
    /// <param name="paths">To find a running daemon, whose sockets and interface are its own.</param>
    /// <param name="binds">Try the listening sockets.</param>
    public static void Run(CheckedNet net, NetPaths paths, bool binds)
    {
        DaemonOptions options = net.Reading.Options!;
        int process = new PidFile(paths.PidFile).Read();
        bool isRunning = process != 0 && ProcessHost.Exists(process);
        CheckInterface(net, options.Device, isRunning);

        using StringWriter lines = new();
        using LoggerFactory factory = new([new DaemonLog(new ConsoleSink(lines), mirror: null, debugLevel: 0)]);
        ConfigEntry? port = net.Server.First("Port");
        foreach (string refusal in StartProbe.Refusals(options, binds && !isRunning && MayBind(options), new EngineLog(factory)))
            net.Report.Add(new(Severity.Error, null, 0, refusal.TrimEnd('!'), FixOf(refusal, net)) { Text = refusal });
        foreach (string line in lines.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries))
            net.Report.Add(new(Severity.Warning, port?.File, port?.Line ?? 0, line, FixOf(line, net)));
    }

    /// <summary>Only root may listen below 1024, and the daemon will be.</summary>
    private static bool MayBind(DaemonOptions options)
        => Environment.IsPrivilegedProcess || ServiceNames.TryGetPort(options.Mesh.Port, out ushort port) && port is 0 or >= 1024;

    private static string FixOf(string refusal, CheckedNet net)
    {
        if (!refusal.Contains("Address already in use", StringComparison.Ordinal))
            return refusal.Contains("listening", StringComparison.Ordinal) ? "see the warnings about the addresses" : "correct what it names, or install what is missing";
        string port = net.Reading.Options!.Mesh.Port;
        string user = SocketTable.ListenerOn(port) is { } found ? $"stop {found}" : "stop the program that uses it";
        return $"{user}, or give this node another Port";
    }

    private static void CheckInterface(CheckedNet net, DeviceSettings device, bool isRunning)
    {
        if (device.Kind is not (DeviceKind.Tun or DeviceKind.Tap) || device.Interface.Length == 0)
            return;
        ConfigEntry? entry = net.Server.First("Interface");
        string name = device.Interface;
        string shown = entry is null ? "The net's name, which the interface gets," : "The interface name";
        if (Encoding.UTF8.GetByteCount(name) > MaxInterfaceName)
        {
            string cut = name[..Math.Min(name.Length, MaxInterfaceName)];
            Add(Severity.Warning, $"{shown} is longer than {MaxInterfaceName} characters: the interface will be called {cut}", "set Interface to a shorter name");
        }
        else if (name is "." or ".." || name.Any(c => c is '/' or ':' || char.IsWhiteSpace(c)))
        {
            Add(Severity.Error, $"{shown} cannot be the name of an interface", "set Interface to a name of letters and digits");
        }
        else if (Directory.Exists($"/sys/class/net/{name}") && !File.Exists($"/sys/class/net/{name}/tun_flags"))
        {
            Add(Severity.Error, $"The interface {name} exists and is no tun or tap interface", "set Interface to another name");
        }
        else if (!isRunning && File.Exists($"/sys/class/net/{name}/carrier") && IsInUse(name))
        {
            Add(Severity.Error, $"The interface {name} is in use by another program", "stop it, or set Interface to another name");
        }

        void Add(Severity severity, string problem, string fix) => net.Report.Add(new(severity, entry?.File, entry?.Line ?? 0, problem, fix));
    }

    /// <summary>A tun interface has a carrier while a program has it open; one that is down cannot be asked.</summary>
    private static bool IsInUse(string name)
    {
        try
        {
            return File.ReadAllText($"/sys/class/net/{name}/carrier").StartsWith('1');
        }
        catch (IOException)
        {
            return false;
        }
    }
}
