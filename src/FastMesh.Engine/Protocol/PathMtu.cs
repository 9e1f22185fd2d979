using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// Path MTU discovery of one SPTPS or FastMesh node (tinc 1.1 reference, 7.3): single probes, each of a length that makes the most of what is known,
/// raise <see cref="Node.MinMtu"/> until it meets <see cref="Node.MaxMtu"/>; then it is checked now and then that the longest still arrives.
/// <para>Beyond tinc: the step after an answered probe comes at once; when the first probe is lost, the lengths that common links allow are tried
/// together, twice because a replay window of tinc 1.1 takes the first datagrams after a long gap for strays (3.6); while there is traffic the check comes every two seconds instead of every PingInterval, and after a loss it is repeated in step with the
/// round trip. A path that shrinks without an ICMP message is so noticed within seconds.</para>
/// All lengths are those of probes: frames with their Ethernet header.
/// </summary>
internal sealed class PathMtu(Node node)
{
    /// <summary>Shortest length that a discovery tries; for less, UDP is not worth while.</summary>
    public const int Least = 512;

    private const int LastPhase = 20, Settled = -1, LastCheck = -3, PhasesPerCycle = 8;

    /// <summary>IP MTUs of links between nodes: PPPoE, tunnels, VPNs, mobile networks, IPv6's minimum, and old ones.</summary>
    private static readonly int[] s_commonMtus = [1492, 1480, 1472, 1460, 1440, 1420, 1400, 1380, 1360, 1340, 1300, 1280, 1200, 1006, 576];

    private readonly List<int> _probes = [];
    private int _phase, _overhead, _failed = int.MaxValue;
    private Instant _growthTried;
    private bool _asked, _isCut;

    /// <summary>Lengths of the probes to send after <see cref="Step"/>.</summary>
    public IReadOnlyList<int> Probes => _probes;

    /// <summary>When <see cref="Step"/> has something to do.</summary>
    public Instant Due { get; private set; }

    /// <summary>Whether the MTU is known and at most checked; checks are for times of traffic.</summary>
    public bool IsSettled => _phase < 0;

    /// <summary>Nothing is known any more: the node's reachability or address has changed, or UDP has stopped working.</summary>
    public void Reset()
    {
        (node.MinMtu, node.MaxMtu) = (0, Node.MaxFrameLength);
        (_phase, _failed, _asked, Due) = (0, int.MaxValue, false, default);
    }

    /// <summary>The length of the probe number <paramref name="phase"/> of a discovery.</summary>
    public static int LengthOf(int min, int max, int phase)
    {
        int low = Math.Max(min, Least), interval = max - low;
        if (interval <= 0)
            return low;
        double weight = max == Node.MaxFrameLength ? 0.97 : 1;
        int left = PhasesPerCycle - 1 - (phase % PhasesPerCycle);
        return low + (int)Math.Round(Math.Pow(interval, weight * left / (PhasesPerCycle - 1)));
    }

    /// <summary>Whether the kernel is to be asked for the MTU towards the node; <see cref="HandleEstimate"/> takes the answer.</summary>
    /// <param name="overhead">Bytes of IP, UDP and session headers that a probe gets.</param>
    /// <param name="now">Current time.</param>
    public bool TryAsk(int overhead, Instant now)
    {
        if (_asked)
            return false;
        (_asked, _overhead, Due) = (true, overhead, now + ProtocolLimits.MtuProbeInterval);
        return true;
    }

    /// <summary>The kernel's answer: largest IP packet in bytes; 0 or less if it does not know.</summary>
    public void HandleEstimate(int ipMtu, Instant now)
    {
        int estimate = Math.Min(ipMtu - _overhead, Node.MaxFrameLength);
        Due = now;
        if (estimate < Least)
            return;
        int mtu = node.Mtu;
        Lower(Math.Min(estimate, node.MaxMtu));
        if (_phase < 0)
            return;
        node.Mtu = mtu; // routing is told what is proven
        if (estimate < _failed)
            _phase = 0; // the next probe is as long as the kernel allows
    }

    /// <summary>Does what is due and lists <see cref="Probes"/>.</summary>
    /// <param name="settings">PingInterval.</param>
    /// <param name="now">Current time.</param>
    /// <param name="settled">After how many probes this step settled the MTU, if it did.</param>
    public void Step(MeshSettings settings, Instant now, out int? settled)
    {
        _probes.Clear();
        settled = null;
        if (now < Due)
            return;
        if (_phase < 0)
        {
            Check(settings, now);
        }
        else if (node.MinMtu >= node.MaxMtu || _phase == LastPhase)
        {
            settled = _phase;
            Settle(now);
        }
        else
        {
            Search(now);
        }
    }

    /// <summary>A reply arrived that proves a frame of <paramref name="length"/> bytes.</summary>
    public void HandleReply(int length, Instant now)
    {
        length = Math.Min(length, Node.MaxFrameLength);
        if (length > node.MaxMtu)
        {
            (node.MinMtu, node.MaxMtu, _phase, _asked, Due) = (length, Node.MaxFrameLength, 1, false, now);
            return;
        }

        bool isProgress = length > node.MinMtu && length >= Least;
        node.MinMtu = Math.Max(node.MinMtu, length);
        if (_phase < Settled && length == node.MaxMtu)
            (_phase, Due) = (Settled, now + ProtocolLimits.MtuCheckInterval);
        else if (_phase >= 0 && isProgress)
            Due = now;
    }

    /// <summary>The kernel refused a frame of this length as too large. It knows better now, and is to be asked.</summary>
    public void HandleTooBig(int length, Instant now)
    {
        if (length > node.MaxMtu)
            return;
        Lower(Math.Max(length - 1, Least));
        (_asked, Due) = (false, now);
    }

    /// <summary>Nothing longer than this can arrive.</summary>
    private void Lower(int max) => (node.MaxMtu, node.MinMtu, node.Mtu) = (max, Math.Min(node.MinMtu, max), Math.Min(node.Mtu, max));

    private void Search(Instant now)
    {
        _isCut = _phase == 1 ? node.MinMtu < Least : _isCut && _phase > 1;
        if (_isCut && _phase == 3 && node.MinMtu >= Least)
            node.Mtu = node.MinMtu; // packets had better be cut to what is proven than wait for the rest of the search
        _probes.Add(LengthOf(node.MinMtu, node.MaxMtu, _phase));
        if (_isCut && _phase <= 2)
            _probes.AddRange(s_commonMtus.Select(mtu => mtu - _overhead).Where(length => length > node.MinMtu && length >= Least && length < node.MaxMtu));
        _phase++;
        Due = now + ProtocolLimits.MtuProbeInterval;
    }

    /// <summary>What has been proven is the MTU. If that is next to nothing, TCP carries packets and routing need not know.</summary>
    private void Settle(Instant now)
    {
        node.MaxMtu = node.MinMtu;
        if (node.MinMtu >= Least)
            node.Mtu = node.MinMtu;
        (_phase, _growthTried, Due) = (Settled, now, now + ProtocolLimits.MtuCheckInterval);
    }

    private void Check(MeshSettings settings, Instant now)
    {
        if (_phase < LastCheck)
        {
            int failed = node.MaxMtu;
            Reset();
            (_phase, _failed, Due) = (1, failed, now); // the longest was just tried
            return;
        }

        _probes.Add(node.MaxMtu);
        if (_phase < Settled)
            _probes.Add(node.MaxMtu); // one more, so that chance losses seldom look like a shorter path
        if (_phase == Settled && now - _growthTried >= settings.PingInterval)
        {
            _growthTried = now;
            if (node.MaxMtu + 1 < Node.MaxFrameLength)
                _probes.Add(node.MaxMtu + 1);
        }

        _phase--;
        TimeSpan wait = 3 * (node.Rtt ?? ProtocolLimits.MaxCheckWait);
        Due = now + (wait < ProtocolLimits.MinCheckWait ? ProtocolLimits.MinCheckWait
            : wait > ProtocolLimits.MaxCheckWait ? ProtocolLimits.MaxCheckWait : wait);
    }
}
