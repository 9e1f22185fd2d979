using System.Runtime.CompilerServices;
using FastMesh.Engine.Daemon;

namespace FastMesh.Engine.Tests.Daemon;

/// <summary>Daemons in this process get their signals as in a process of their own, whichever of them the starter of the tests ignores (nohup: HUP).</summary>
internal static class TakenSignals
{
    [ModuleInitializer]
    internal static void Take() => ProcessHost.TakeSignals();
}
