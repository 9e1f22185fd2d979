using System.Buffers.Binary;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// Finds out, for one SPTPS or FastMesh node, whether UDP works to its address, and keeps it working (tinc 1.1 reference, 7.1, 7.2): short probes that
/// must be answered now and then. The results are <see cref="Node.UdpConfirmed"/> and <see cref="Node.Rtt"/>.
/// </summary>
internal sealed class UdpDiscovery(Node node)
{
    /// <summary>Length of a probe that asks only whether it arrives, and of a type 2 reply.</summary>
    public const int ProbeLength = 18;

    private const int IdOffset = 14, Echo = 1, LengthReport = 2;
    private const int MaxAwaited = 32; // probes sent together, and those of a second before

    private readonly Queue<(uint Id, Instant Sent)> _awaited = new();
    private Instant? _requested, _reported, _traffic;
    private Instant _expiry, _confirmed;
    private int _largest;

    /// <summary>Whether there was traffic lately, so that the way is worth some effort.</summary>
    public bool IsBusy(Instant now) => _traffic is { } last && now - last <= ProtocolLimits.BusyTime;

    /// <summary>There is traffic.</summary>
    public void NoteTraffic(Instant now) => _traffic = now;

    /// <summary>Nothing is known of the way any more.</summary>
    public void Reset()
    {
        (node.UdpConfirmed, node.Rtt) = (false, null);
        (_requested, _reported, _largest) = (null, null, 0);
        _awaited.Clear();
    }

    /// <summary>
    /// Whether a datagram from another address may move the node there. Not in the first moments after the present one has been confirmed: when several
    /// addresses of a node work, the replies from all of them arrive then.
    /// </summary>
    public bool MayMove(Instant now) => !node.UdpConfirmed || now - _confirmed >= ProtocolLimits.AddressHold;

    /// <summary>Whether UDP counts as lost from now on, since nothing was answered for UDPDiscoveryTimeout.</summary>
    public bool HasExpired(Instant now) => now >= Expiry;

    /// <summary>When UDP counts as lost unless something is answered; never while it is not confirmed.</summary>
    public Instant Expiry => node.UdpConfirmed ? _expiry : Instant.Never;

    /// <summary>When the next request or expiry is due.</summary>
    public Instant NextDue(MeshSettings settings)
    {
        Instant request = !settings.UdpDiscovery ? Instant.Never : _requested is { } last ? last + RequestInterval(settings) : default;
        return Expiry < request ? Expiry : request;
    }

    /// <summary>Whether a request is due; it counts as sent.</summary>
    /// <param name="settings">UDPDiscovery and its intervals.</param>
    /// <param name="now">Current time.</param>
    /// <param name="isHeard">Whether one of the node just arrived: then the way is likely open, for a moment at least.</param>
    public bool TryRequest(MeshSettings settings, Instant now, bool isHeard = false)
    {
        TimeSpan interval = isHeard && !node.UdpConfirmed ? ProtocolLimits.EagerRequests : RequestInterval(settings);
        if (!settings.UdpDiscovery || (_requested is { } last && now - last < interval))
            return false;
        _requested = now;
        return true;
    }

    /// <summary>A probe: 14 zero bytes, whose first says "request" and whose last two mark it as a probe, then random ones.</summary>
    public byte[] MakeRequest(int length, IRandomSource random, Instant now)
    {
        byte[] frame = new byte[Math.Max(length, ProbeLength)];
        random.Fill(frame.AsSpan(IdOffset));
        if (_awaited.Count == MaxAwaited)
            _awaited.Dequeue();
        _awaited.Enqueue((IdOf(frame), now));
        return frame;
    }

    /// <summary>The answer to a request: type 2, short with the length that arrived, to those who know it; else all of it, as type 1.</summary>
    public byte[] MakeReply(ReadOnlySpan<byte> request)
    {
        _largest = Math.Max(_largest, request.Length);
        bool knowsReport = node.Protocol == NodeProtocol.FastMesh || node.Minor >= 3;
        byte[] reply = knowsReport ? new byte[ProbeLength] : request.ToArray();
        if (knowsReport)
        {
            request[..Math.Min(request.Length, ProbeLength)].CopyTo(reply);
            BinaryPrimitives.WriteUInt16BigEndian(reply.AsSpan(1), (ushort)request.Length);
        }

        reply[0] = knowsReport ? (byte)LengthReport : (byte)Echo;
        return reply;
    }

    /// <summary>
    /// A reply nobody asked for: it keeps the address translation on the way open and tells how long a packet arrived since the last one. Null if it is not
    /// time, or nothing arrived.
    /// </summary>
    public byte[]? MakeReport(MeshSettings settings, Instant now)
    {
        TimeSpan interval = settings.UdpDiscoveryKeepaliveInterval - TimeSpan.FromSeconds(1);
        if (!node.UdpConfirmed || _largest == 0 || (_reported is { } last && now - last < interval))
            return null;
        byte[] report = new byte[ProbeLength];
        report[0] = LengthReport;
        BinaryPrimitives.WriteUInt16BigEndian(report.AsSpan(1), (ushort)_largest);
        (_reported, _largest) = (now, 0);
        return report;
    }

    /// <summary>
    /// A reply arrived. Returns the length that it proves; 0 if it answers no probe of ours, because a length that someone received some time ago says
    /// nothing of the path as it is now.
    /// </summary>
    public int HandleReply(ReadOnlySpan<byte> reply, MeshSettings settings, Instant now)
    {
        if (!node.UdpConfirmed)
            _confirmed = now;
        node.UdpConfirmed = true;
        _expiry = now + settings.UdpDiscoveryTimeout;
        if (reply.Length < ProbeLength)
            return 0;

        uint id = IdOf(reply);
        foreach ((uint awaited, Instant sent) in _awaited)
        {
            if (awaited != id)
                continue;
            node.NoteRoundTrip(now.Since(sent));
            return reply[0] == LengthReport ? BinaryPrimitives.ReadUInt16BigEndian(reply[1..]) : reply.Length;
        }

        return 0;
    }

    private TimeSpan RequestInterval(MeshSettings settings) =>
        node.UdpConfirmed ? settings.UdpDiscoveryKeepaliveInterval : settings.UdpDiscoveryInterval;

    private static uint IdOf(ReadOnlySpan<byte> frame) => BinaryPrimitives.ReadUInt32LittleEndian(frame[IdOffset..]);
}
