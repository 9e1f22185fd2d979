using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// UDP discovery and path MTU of one node (tinc 1.0 reference, 5.8): bursts of probes of random length narrow the range between
/// the longest frame proven to arrive and the shortest not yet proven too long; later one burst per PingInterval keeps the path
/// alive. The results are <see cref="Node.Mtu"/>, <see cref="Node.MinMtu"/> and <see cref="Node.MaxMtu"/>.
/// </summary>
internal sealed class PathProbe(Node node)
{
    private const int GiveUp = 10, Last = 30, Rest = 31, KeepAlive = 32;

    private readonly List<int> _burst = [];

    /// <summary>Steps taken in this phase.</summary>
    public int Count { get; private set; }

    /// <summary>Lengths of the probes to send after <see cref="Step"/>; with LocalDiscovery the last one is the extra one.</summary>
    public IReadOnlyList<int> Burst => _burst;

    /// <summary>Whether the extra probe of LocalDiscovery is to be broadcast; otherwise it takes the normal way.</summary>
    public bool BroadcastExtra => Count <= GiveUp;

    /// <summary>
    /// Whether the last step found, for the first time since a reply, that nothing comes back. Most often UDP is blocked, but it
    /// may be that two ANS_KEYs crossed on different ways and one side seals with a key that was replaced.
    /// </summary>
    public bool FellSilent { get; private set; }

    private bool _isSilent;

    /// <summary>A new key may end the silence: probing starts over at the next step.</summary>
    /// <returns>Whether it was silent.</returns>
    public bool TryStartOver()
    {
        if (!_isSilent || Count < Rest)
            return false;
        Count = 0;
        return true;
    }

    /// <summary>The node's reachability has changed: everything but the enforced MTU is as at the start.</summary>
    public void Reset() => (Count, node.MinMtu, node.MaxMtu, _isSilent) = (0, 0, Node.MaxFrameLength, false);

    /// <summary>Does what is due. Returns how long to wait for the next step, or null to stop until the next ANS_KEY.</summary>
    /// <param name="settings">PingInterval, PingTimeout and LocalDiscovery.</param>
    /// <param name="random">For the lengths.</param>
    /// <param name="settled">Whether the MTU was fixed by this step, after how many probes.</param>
    public TimeSpan? Step(MeshSettings settings, IRandomSource random, out int? settled)
    {
        _burst.Clear();
        settled = null;
        FellSilent = false;
        Count++;
        if (!node.Reachable || node.Sealer is null)
        {
            Count = 0;
            return null;
        }

        if (Count > KeepAlive)
        {
            if (node.MinMtu == 0)
            {
                Count = Rest;
                return settings.PingInterval;
            }

            Reset();
            Count = 1;
        }

        if (Count is >= GiveUp and < KeepAlive && node.MinMtu == 0)
        {
            (FellSilent, _isSilent, Count) = (!_isSilent, true, Rest);
        }
        else if (Count == Last || (Count < Last && node.MinMtu >= node.MaxMtu))
        {
            settled = Count;
            node.MinMtu = node.MaxMtu = node.Mtu = Math.Min(node.MinMtu, node.MaxMtu);
            Count = Rest;
        }

        if (Count == Rest)
            return settings.PingInterval;

        MakeBurst(settings.LocalDiscovery, random);
        return Count == KeepAlive ? settings.PingTimeout : TimeSpan.FromSeconds(1);
    }

    /// <summary>A reply arrived that proves a frame of <paramref name="length"/> bytes.</summary>
    public void HandleReply(int length)
    {
        _isSilent = false;
        if (Count > Last)
        {
            if (length == node.MaxMtu + ProtocolLimits.GrowthProbe)
            {
                (node.MaxMtu, Count) = (Node.MaxFrameLength, GiveUp);
                return;
            }

            Count = node.MinMtu > 0 ? Last : 1;
        }

        node.MinMtu = Math.Max(node.MinMtu, Math.Min(length, node.MaxMtu));
    }

    /// <summary>The kernel refused a frame of this length as too large.</summary>
    public void HandleTooBig(int length)
    {
        node.MaxMtu = Math.Min(node.MaxMtu, length - 1);
        node.Mtu = Math.Min(node.Mtu, length - 1);
    }

    private void MakeBurst(bool localDiscovery, IRandomSource random)
    {
        if (Count >= Last && node.MaxMtu + ProtocolLimits.GrowthProbe < Node.MaxFrameLength)
            _burst.Add(node.MaxMtu + ProtocolLimits.GrowthProbe);

        int count = ProtocolLimits.ProbesPerBurst + (localDiscovery ? 1 : 0);
        for (int i = 0; i < count; i++)
        {
            int span = node.MaxMtu - node.MinMtu;
            int length = span <= 0 ? node.MaxMtu : node.MinMtu + 1 + (int)(random.NextUInt32() % (uint)span);
            _burst.Add(Math.Max(length, ProtocolLimits.MinProbe));
        }
    }
}
