using FastMesh.Engine.Crypto;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>What a session with a FastMesh node needs to know of the two ends.</summary>
/// <param name="Own">Own identity.</param>
/// <param name="Offer">What this node brings into handshakes.</param>
/// <param name="Self">Own name.</param>
/// <param name="Peer">The other node's name.</param>
/// <param name="Shape">The form of the datagrams under a cipher.</param>
/// <param name="Shards">Number of own shards.</param>
/// <param name="Believes">Whether an identity and its certificate are the peer's.</param>
/// <param name="Random">For nonces and keys.</param>
internal sealed record FastMeshParty(
    Ed25519Identity Own, FastMeshOffer Offer, string Self, string Peer, Func<DataSuite, DatagramSession> Shape, int Shards,
    Func<Ed25519PublicKey, byte[], bool> Believes, IRandomSource Random);

/// <summary>One line to be sent.</summary>
/// <param name="Message">Which.</param>
/// <param name="Data">Its bytes; of a KEX one part.</param>
internal readonly record struct FastMeshLine(FastMeshMessage Message, byte[] Data);

/// <summary>
/// The session with one FastMesh node over its life: handshakes of both directions, the first and all later ones, and the sealer and opener that came of the last.
/// Each handshake starts afresh while the session before goes on. The opener is there before the peer can use the new keys, and the sealer only when the peer
/// surely opens them, so that nothing is lost.
/// </summary>
internal sealed class FastMeshSession(FastMeshParty party) : IDisposable
{
    /// <summary>Replay window of each lane, bytes: 8192 packets.</summary>
    private const int WindowBytes = 1024;

    private const int MaxParts = 4;

    private readonly List<FastMeshLine> _outbox = [];
    private readonly Assembly _partsA = new(), _partsB = new();
    private FastMeshHandshake? _attempt, _lateAttempt, _answer;
    private byte[] _answered = [], _kexB = [], _sigB = [];
    private int _attempts;
    private Instant? _retryAt;
    private Instant _openerSince;
    private DatagramOpener? _openerBefore;
    private DatagramKey? _inputKey, _inputKeyBefore;

    /// <summary>Seals to the peer; null before the first handshake is complete.</summary>
    public DatagramSealer? Sealer { get; private set; }

    /// <summary>Opens what the peer sends.</summary>
    public DatagramOpener? Opener { get; private set; }

    /// <summary>What <see cref="Sealer"/> rests on.</summary>
    public FastMeshAgreement? Agreement { get; private set; }

    /// <summary>When <see cref="Sealer"/> was made.</summary>
    public Instant EstablishedAt { get; private set; }

    /// <summary>Records sent under the present key.</summary>
    public ulong Sent => Sealer?.Sent ?? 0;

    /// <summary>Whether an own start is under way.</summary>
    public bool IsStarting => _attempt is not null;

    /// <summary>When a start that has led to nothing is to be repeated; null if there is none.</summary>
    public Instant? RetryAt => _retryAt;

    /// <summary>Begins a handshake, the first one or anew.</summary>
    public void Start(Instant now)
    {
        _lateAttempt?.Dispose();
        _lateAttempt = _attempt; // its Ack may only be slow
        _attempt = new FastMeshHandshake(party.Own, party.Offer, (party.Self, party.Peer), isInitiator: true, party.Believes, party.Random);
        _retryAt = now + ProtocolLimits.SessionRetry(_attempts++);
        Queue(FastMeshMessage.KexA, _attempt.KexA);
    }

    /// <summary>Gives up an own start that nobody needs any more.</summary>
    public void StopTrying()
    {
        _attempt?.Dispose();
        _lateAttempt?.Dispose();
        (_attempt, _lateAttempt, _attempts, _retryAt) = (null, null, 0, null);
    }

    /// <summary>Takes a message; false if it is of no use. Then nothing has changed.</summary>
    public bool Handle(FastMeshMessage message, ReadOnlySpan<byte> data, Instant now) => message switch
    {
        FastMeshMessage.KexA => _partsA.TryAdd(data, out byte[]? whole) && (whole is null || HandleKexA(whole)),
        FastMeshMessage.KexB => _partsB.TryAdd(data, out byte[]? whole) && (whole is null || (_attempt?.TryTakeKexB(whole) ?? false)),
        FastMeshMessage.SigB => HandleSigB(data, now),
        FastMeshMessage.SigA => HandleSigA(data, now),
        FastMeshMessage.Ack => HandleAck(data, now),
        _ => false,
    };

    /// <summary>The lines to send after an input; forgotten here.</summary>
    public FastMeshLine[] TakeLines()
    {
        FastMeshLine[] lines = [.. _outbox];
        _outbox.Clear();
        return lines;
    }

    /// <summary>Whether a datagram, without its node ids, was made by the peer.</summary>
    public bool Verifies(ReadOnlySpan<byte> datagram) =>
        (_inputKey?.Verifies(datagram) ?? false) || (_inputKeyBefore?.Verifies(datagram) ?? false);

    /// <inheritdoc/>
    public void Dispose()
    {
        StopTrying();
        _answer?.Dispose();
        _answer = null;
    }

    /// <summary>If both sides have started, the start of the node whose name sorts lower goes on. A repeated message gets the same answer.</summary>
    private bool HandleKexA(byte[] kex)
    {
        if (IsStarting && string.CompareOrdinal(party.Self, party.Peer) < 0)
            return true;
        if (_answer is null || !kex.AsSpan().SequenceEqual(_answered))
        {
            var answer = new FastMeshHandshake(party.Own, party.Offer, (party.Peer, party.Self), isInitiator: false, party.Believes, party.Random);
            if (!answer.TryRespond(kex, party.Random, out byte[] kexB, out byte[] sigB))
            {
                answer.Dispose();
                return false;
            }

            _attempt?.Dispose();
            _lateAttempt?.Dispose();
            _answer?.Dispose();
            (_attempt, _lateAttempt, _answer, _answered, _kexB, _sigB) = (null, null, answer, kex, kexB, sigB);
        }

        Queue(FastMeshMessage.KexB, _kexB);
        _outbox.Add(new(FastMeshMessage.SigB, _sigB));
        return true;
    }

    private bool HandleSigB(ReadOnlySpan<byte> data, Instant now)
    {
        if (_attempt is not { } attempt || !attempt.TryTakeSigB(data, out byte[] sigA))
            return false;
        Expect(attempt.Agreement!, now);
        _outbox.Add(new(FastMeshMessage.SigA, sigA));
        return true;
    }

    private bool HandleSigA(ReadOnlySpan<byte> data, Instant now)
    {
        if (_answer is not { } answer || !answer.TryTakeSigA(data, out byte[] ack))
            return false;
        Expect(answer.Agreement!, now);
        Establish(answer.Agreement!, now);
        _outbox.Add(new(FastMeshMessage.Ack, ack));
        return true;
    }

    private bool HandleAck(ReadOnlySpan<byte> data, Instant now)
    {
        FastMeshHandshake? attempt = _attempt is { Agreement: null } ? _lateAttempt : _attempt;
        if (attempt is null || !attempt.TryTakeAck(data))
            return false;
        Establish(attempt.Agreement!, now);
        return true;
    }

    /// <summary>
    /// The peer may use the new key from now on, or may never do so, if the end of this handshake gets lost. In that case the next opener must follow on the one
    /// before.
    /// </summary>
    private void Expect(FastMeshAgreement agreement, Instant now)
    {
        bool isUnused = Opener is { Opened: 0 } && now - _openerSince < ProtocolLimits.SessionDoubt;
        if (!isUnused)
            (_openerBefore, _inputKeyBefore) = (Opener, _inputKey);
        DatagramSession shape = party.Shape(agreement.Suite);
        Opener = DatagramOpener.Create(shape, agreement.Input, WindowBytes, party.Offer.Compression, _openerBefore, agreement.Lanes.Peer, party.Shards);
        (_inputKey, _openerSince) = (new DatagramKey(shape.Format, shape.Suite, agreement.Input), now);
    }

    private void Establish(FastMeshAgreement agreement, Instant now)
    {
        DatagramSession shape = party.Shape(agreement.Suite) with { PartialChecksums = agreement.PartialChecksums };
        Sealer = DatagramSealer.Create(shape, agreement.Output, agreement.Compression, Math.Min(agreement.Lanes.Own, party.Shards));
        (Agreement, EstablishedAt) = (agreement, now);
        _answer?.Dispose();
        _answer = null;
        StopTrying();
    }

    /// <summary>Cuts a KEX into lines; each part begins with its number and how many there are.</summary>
    private void Queue(FastMeshMessage message, byte[] kex)
    {
        byte[][] parts = [.. kex.Chunk(ProtocolLimits.MaxKexPart)];
        for (int i = 0; i < parts.Length; i++)
            _outbox.Add(new(message, [(byte)(i << 4 | parts.Length), .. parts[i]]));
    }

    /// <summary>Puts a KEX together. Its parts come in order, because they travel on the same connections.</summary>
    private sealed class Assembly
    {
        private readonly List<byte> _bytes = [];
        private int _next, _count;

        /// <summary>Takes a part; false if it does not fit.</summary>
        public bool TryAdd(ReadOnlySpan<byte> part, out byte[]? whole)
        {
            whole = null;
            if (part.Length < 2 || part.Length > 1 + ProtocolLimits.MaxKexPart)
                return false;
            int index = part[0] >> 4, count = part[0] & 15;
            if (index == 0)
            {
                _bytes.Clear();
                (_next, _count) = (0, count);
            }

            if (index != _next || count != _count || index >= count || count > MaxParts)
                return false;
            _bytes.AddRange(part[1..]);
            if (++_next == count)
            {
                whole = [.. _bytes];
                _next = 0;
                _bytes.Clear();
            }

            return true;
        }
    }
}
