using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>Lets something through at most once per clock second and node.</summary>
internal sealed class OncePerSecond
{
    private long[] _next = []; // by node id, the first second in which it is due

    /// <summary>Whether it was not due yet in this second for this node; it counts as done now.</summary>
    public bool IsDue(int node, Instant now)
    {
        if (node >= _next.Length)
            Array.Resize(ref _next, Math.Max(64, (node + 1) * 2));
        if (now.Second < _next[node])
            return false;
        _next[node] = now.Second + 1;
        return true;
    }
}
