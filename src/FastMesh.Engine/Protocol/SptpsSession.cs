using System.Buffers.Binary;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// The SPTPS session with a single tinc 1.1 node (tinc 1.1 reference, 3 and 5.3): wraps the messages of <see cref="SptpsHandshake"/> into datagrams, which travel
/// in REQ_KEY and ANS_KEY, and makes the sealer and opener of the data path. Records are numbered across both and across re-keys.
/// <para>A false from <see cref="Handle"/> means that a record was refused; if <see cref="IsBroken"/>, the session is of no use any more.</para>
/// </summary>
internal sealed class SptpsSession
{
    private const int SequenceLength = 4, TypeLength = 1;

    private readonly DatagramSession _shape;
    private readonly SptpsHandshake _handshake;
    private readonly RecordCounter _sent = new();
    private readonly int _windowBytes, _compression;
    private readonly List<byte[]> _outbox = [];
    private readonly Queue<SptpsStep> _held = new();
    private DatagramKey? _outputKey, _outputKeyBefore, _inputKey, _inputKeyBefore;
    private byte[] _expectedKey = [];
    private long _nextSequence;
    private bool _isHolding;

    /// <summary>Prepares one side; nothing is sent before <see cref="Start"/>.</summary>
    /// <param name="shape">The form of its datagrams.</param>
    /// <param name="handshake">The handshake, fresh.</param>
    /// <param name="windowBytes">Replay window, bytes.</param>
    /// <param name="compression">Level in which packets are wanted from the peer.</param>
    /// <param name="now">Current time.</param>
    public SptpsSession(in DatagramSession shape, SptpsHandshake handshake, int windowBytes, int compression, Instant now) =>
        (_shape, _handshake, _windowBytes, _compression, StartedAt) = (shape, handshake, windowBytes, compression, now);

    /// <summary>When it was started.</summary>
    public Instant StartedAt { get; }

    /// <summary>When the keys now in use were agreed on.</summary>
    public Instant KeyedAt { get; private set; }

    /// <summary>Level in which the peer wants packets.</summary>
    public int PeerCompression { get; set; }

    /// <summary>Whether this node began it.</summary>
    public bool IsInitiator => _handshake.Initiator;

    /// <summary>Whether this node has begun and has heard nothing yet.</summary>
    public bool IsUnanswered => IsInitiator && _nextSequence == 0;

    /// <summary>Whether our unanswered start goes before one of the peer.</summary>
    public bool HasPrecedence { get; set; } = true;

    /// <summary>Whether packets can be sent.</summary>
    public bool IsReady => Sealer is not null && !IsBroken;

    /// <summary>Whether a new key may be agreed on.</summary>
    public bool CanRekey => !IsBroken && !_isHolding && _handshake.CanRekey;

    /// <summary>Whether the peer broke the rules, so that only a new session helps.</summary>
    public bool IsBroken { get; private set; }

    /// <summary>
    /// Whether a re-key has come to the point where the output key changes. The peer takes exactly the records before our ACK under the old key, whatever way
    /// they take; so nothing may be under way by UDP when <see cref="SwitchOutput"/> is called.
    /// </summary>
    public bool AwaitsSwitch => _isHolding;

    /// <summary>Seals to the peer.</summary>
    public DatagramSealer? Sealer { get; private set; }

    /// <summary>Opens what the peer sends.</summary>
    public DatagramOpener? Opener { get; private set; }

    /// <summary>Records sent so far.</summary>
    public ulong Sent => _sent.Next;

    /// <summary>Records sent before the keys now in use were agreed on.</summary>
    public ulong SentBeforeKey { get; private set; }

    /// <summary>Datagrams opened so far, under all keys.</summary>
    public long Opened => _openedBefore + (Opener?.Opened ?? 0);

    private long _openedBefore;

    /// <summary>Begins the first handshake, or a re-key if <see cref="CanRekey"/>.</summary>
    public void Start(Instant now)
    {
        List<SptpsStep> steps = [];
        _handshake.Start(steps);
        Perform(steps, now);
    }

    /// <summary>Takes a whole datagram that carries a handshake record.</summary>
    public bool Handle(ReadOnlySpan<byte> datagram, Instant now)
    {
        if (IsBroken || !TryOpenRecord(datagram, out byte[] content))
            return false;
        List<SptpsStep> steps = [];
        IsBroken = !_handshake.Handle(content, steps);
        if (!IsBroken)
            Perform(steps, now);
        return !IsBroken;
    }

    /// <summary>Sends the ACK of a re-key, the last record under the old key, and uses the new one from then on.</summary>
    public void SwitchOutput()
    {
        _isHolding = false;
        while (_held.TryDequeue(out SptpsStep step))
            PerformOutput(step);
    }

    /// <summary>What was sealed under the key before has arrived or is lost.</summary>
    public void ForgetOldOutput() => _outputKeyBefore = null;

    /// <summary>The datagrams to send after an input; forgotten here.</summary>
    public byte[][] TakeDatagrams()
    {
        byte[][] datagrams = [.. _outbox];
        _outbox.Clear();
        return datagrams;
    }

    /// <summary>Whether a datagram, without its node ids, was made by the peer.</summary>
    public bool Verifies(ReadOnlySpan<byte> datagram) =>
        (_inputKey?.Verifies(datagram) ?? false) || (_inputKeyBefore?.Verifies(datagram) ?? false);

    /// <summary>
    /// A datagram to the peer, without its node ids, as it must be after a switch: one sealed under the key before, which waited on its way to a connection, is
    /// sealed again.
    /// </summary>
    public byte[] Renew(ReadOnlySpan<byte> datagram)
    {
        if (_outputKeyBefore is not { } before || datagram.Length < SequenceLength + TypeLength + DatagramKey.TagLength)
            return datagram.ToArray();
        byte[] plain = new byte[datagram.Length - SequenceLength - DatagramKey.TagLength];
        return before.TryOpen(BinaryPrimitives.ReadUInt32BigEndian(datagram), datagram[SequenceLength..], plain) ? Seal(plain) : datagram.ToArray();
    }

    /// <summary>What changes the input takes effect at once; from the ACK of a re-key on, what changes the output waits.</summary>
    private void Perform(List<SptpsStep> steps, Instant now)
    {
        foreach (SptpsStep step in steps)
        {
            switch (step.Kind)
            {
                case SptpsStepKind.ExpectInput:
                    ExpectInput(step.Data);
                    break;
                case SptpsStepKind.SwitchInput when !step.Data.AsSpan().SequenceEqual(_expectedKey):
                    ExpectInput(step.Data);
                    break;
                case SptpsStepKind.SwitchInput:
                    break;
                case SptpsStepKind.Complete:
                    (KeyedAt, SentBeforeKey) = (now, Sent);
                    break;
                default:
                    _isHolding |= step is { Kind: SptpsStepKind.Send, Data.Length: 0 };
                    if (_isHolding)
                        _held.Enqueue(step);
                    else
                        PerformOutput(step);
                    break;
            }
        }
    }

    private void PerformOutput(SptpsStep step)
    {
        if (step.Kind == SptpsStepKind.Send)
        {
            _outbox.Add(Seal([SptpsHandshake.RecordType, .. step.Data]));
            return;
        }

        (_outputKeyBefore, _outputKey) = (_outputKey, new DatagramKey(_shape.Format, _shape.Suite, step.Data));
        Sealer = new DatagramSealer(_shape, step.Data, _sent, PeerCompression);
    }

    private void ExpectInput(byte[] key)
    {
        _openedBefore = Opened;
        Opener = new DatagramOpener(_shape, key, _windowBytes, _compression, Opener, nextSequence: (ulong)_nextSequence);
        (_inputKeyBefore, _inputKey) = (_inputKey, new DatagramKey(_shape.Format, _shape.Suite, key));
        _expectedKey = key;
    }

    private byte[] Seal(ReadOnlySpan<byte> plain)
    {
        ulong sequence = _sent.Take(1);
        byte[] datagram = new byte[SequenceLength + plain.Length + (_outputKey is null ? 0 : DatagramKey.TagLength)];
        BinaryPrimitives.WriteUInt32BigEndian(datagram, (uint)sequence);
        if (_outputKey is null)
            plain.CopyTo(datagram.AsSpan(SequenceLength));
        else
            _outputKey.Seal(sequence, plain, datagram.AsSpan(SequenceLength));
        return datagram;
    }

    /// <summary>In plaintext the next number is demanded, and used up by whatever comes; later any higher one will do, since the numbers between are data.</summary>
    private bool TryOpenRecord(ReadOnlySpan<byte> datagram, out byte[] content)
    {
        content = [];
        if (datagram.Length < SequenceLength + TypeLength)
            return false;
        uint sequence = BinaryPrimitives.ReadUInt32BigEndian(datagram);
        ReadOnlySpan<byte> plain = datagram[SequenceLength..];
        if (_inputKey is null)
        {
            if (sequence != _nextSequence)
                return false;
            _nextSequence++;
        }
        else
        {
            byte[] opened = new byte[Math.Max(0, plain.Length - DatagramKey.TagLength)];
            bool isGenuine = opened.Length >= TypeLength
                && (_inputKey.TryOpen(sequence, plain, opened) || (_inputKeyBefore?.TryOpen(sequence, plain, opened) ?? false));
            if (!isGenuine || sequence < _nextSequence)
                return false;
            _nextSequence = (long)sequence + 1;
            plain = opened;
        }

        if (plain[0] != SptpsHandshake.RecordType)
            return false;
        content = plain[TypeLength..].ToArray();
        return true;
    }
}
