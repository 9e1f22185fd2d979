using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// To which nodes the kernel does not send trains, because the device or the route cannot cut them (EIO, EINVAL: linux-dataplane reference, 2.3). They are
/// tried again after a minute, and at another address at once.
/// </summary>
internal sealed class RefusedTrains
{
    private static readonly TimeSpan s_pause = TimeSpan.FromMinutes(1);
    private Entry[] _entries = []; // by node id
    private int _count;

    /// <summary>Whether no train is to be tried now.</summary>
    public bool Contains(PeerRoute node, Instant now) => _count > 0 && node.Id < _entries.Length
        && now < _entries[node.Id].Until && _entries[node.Id].Address == node.Address;

    /// <summary>A train was refused. True if that is news since one went out last.</summary>
    public bool Add(int node, in Endpoint address, Instant now)
    {
        if (node >= _entries.Length)
            Array.Resize(ref _entries, Math.Max(64, (node + 1) * 2));
        bool isNews = _entries[node].Address != address;
        _count += _entries[node].Address.IsSet ? 0 : 1;
        _entries[node] = new(now + s_pause, address);
        return isNews;
    }

    /// <summary>A train went out.</summary>
    public void Remove(int node)
    {
        if (_count == 0 || node >= _entries.Length || !_entries[node].Address.IsSet)
            return;
        _entries[node] = default;
        _count--;
    }

    private readonly record struct Entry(Instant Until, Endpoint Address);
}
