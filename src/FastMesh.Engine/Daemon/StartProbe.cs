using FastMesh.Engine.DataPath;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Daemon;

/// <summary>Tries of a start what can be tried without anybody noticing: no device, no script, no packet.</summary>
public static class StartProbe
{
    /// <summary>What the start would end with, each in one line for the operator.</summary>
    /// <param name="options">What would be run.</param>
    /// <param name="binds">Try the listening sockets too, which only makes sense while no daemon of this net has them.</param>
    /// <param name="log">Gets what a start would say about single addresses.</param>
    public static IReadOnlyList<string> Refusals(DaemonOptions options, bool binds, EngineLog log)
    {
        ArgumentNullException.ThrowIfNull(options);
        List<string> refusals = [];
        Attempt(refusals, () => Daemon.CheckCpus(options.DataPlane.Cpus));
        Attempt(refusals, () => Daemon.ChooseCrypto(options.Crypto));
        Attempt(refusals, () => VpnDevice.Check(options.Device));
        if (options.User is { } user)
            Attempt(refusals, () => ProcessControl.FindUser(user));
        if (binds)
            Attempt(refusals, () => Listeners.Open(options, inherited: 0, log).Dispose());
        return refusals;
    }

    private static void Attempt(List<string> refusals, Action step)
    {
        try
        {
            step();
        }
        catch (Exception e) when (e is IOException or LinuxException or UnauthorizedAccessException)
        {
            refusals.Add(e.Message);
        }
    }
}
