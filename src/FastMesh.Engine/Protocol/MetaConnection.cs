using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// How far a meta connection is. The states from <see cref="Id"/> to <see cref="Ack"/> are named after the one request that is
/// accepted next (tinc 1.0 reference, 4.4):
/// <code>Connecting -> [Proxy] -> Id -> MetaKey -> Challenge -> ChalReply -> Ack -> Active</code>
/// </summary>
internal enum MetaState
{
    Connecting,
    Proxy,
    Id,
    MetaKey,
    Challenge,
    ChalReply,
    Ack,
    Active,
}

/// <summary>
/// One TCP peer: its identity and state, the bytes received but not yet a whole request, the bytes not yet written, and the
/// stream ciphers of both directions. Knows no request; <see cref="Mesh"/> decides.
/// </summary>
internal sealed class MetaConnection(ConnectionId id, Endpoint remote, bool initiator, Instant now)
{
    private readonly byte[] _input = new byte[ProtocolLimits.ReceiveBuffer];
    private int _inputStart, _inputEnd, _payloadLength;
    private byte[] _output = [];
    private int _outputStart, _outputEnd;
    private MetaCipher? _encrypt, _decrypt;
    private string? _text;

    public ConnectionId Id { get; } = id;

    /// <summary>The other end's address as far as known; log lines and the edge to it use it.</summary>
    public Endpoint Remote { get; } = remote;

    /// <summary>Whether this node opened the connection.</summary>
    public bool Initiator { get; } = initiator;

    /// <summary>When the connection was made or begun; the weight is measured from here.</summary>
    public Instant Created { get; } = now;

    /// <summary>When the TCP connection stood; the handshake timeout is measured from here.</summary>
    public Instant Started { get; set; } = now;

    public MetaState State { get; set; } = initiator ? MetaState.Connecting : MetaState.Id;

    /// <summary>The peer's name: of an outgoing connection the wanted one, of an accepted one null until its ID is accepted.</summary>
    public string? Name
    {
        get;
        set => (field, _text) = (value, null);
    }

    /// <summary>The peer's node, once active.</summary>
    public Node? Node { get; set; }

    /// <summary>The peer's host file as read at ID.</summary>
    public PeerSettings Peer { get; set; } = new();

    /// <summary>The outgoing connection whose need this one fills, or null.</summary>
    public Outgoing? Outgoing { get; set; }

    public ProxyHandshake? Proxy { get; set; }

    public LegacyHandshake? Handshake { get; set; }

    /// <summary>Options sent in our ACK; once active, those of the edge to the peer.</summary>
    public EdgeOptions Options { get; set; }

    /// <summary>Weight sent in our ACK.</summary>
    public int Weight { get; set; }

    public Instant LastPing { get; set; } = now;

    /// <summary>Whether a PING waits for its PONG.</summary>
    public bool Pinged { get; set; }

    public bool IsActive => State == MetaState.Active;

    /// <summary>Since when the output has made no progress; meaningful while there is output.</summary>
    public Instant OutputSince { get; private set; }

    public int PendingLength => _outputEnd - _outputStart;

    public ReadOnlySpan<byte> Pending => _output.AsSpan(_outputStart, PendingLength);

    public int OutputCapacity => _output.Length;

    public int OutputStart => _outputStart;

    public bool Encrypting => _encrypt is not null;

    public bool Decrypting => _decrypt is not null;

    /// <summary>The form of log lines: <c>NAME (ADDRESS port PORT)</c>.</summary>
    public override string ToString() => _text ??= $"{Name ?? "<unknown>"} ({Remote})";

    /// <summary>Everything appended from now on is encrypted.</summary>
    public void EncryptWith(MetaCipher cipher) => _encrypt = cipher;

    /// <summary>Everything after the request that is being handled is decrypted; false if that exceeds the byte budget.</summary>
    public bool DecryptWith(MetaCipher cipher)
    {
        _decrypt = cipher;
        return Decrypt(_input.AsSpan(_inputStart, _inputEnd - _inputStart));
    }

    /// <summary>
    /// Takes as many bytes of <paramref name="bytes"/> as there is room for. False if there is no room, which means that the
    /// peer sent an over-long request, or if the byte budget of the cipher is used up.
    /// </summary>
    public bool TryFill(ref ReadOnlySpan<byte> bytes)
    {
        if (_inputStart > 0)
        {
            _input.AsSpan(_inputStart, _inputEnd - _inputStart).CopyTo(_input);
            (_inputStart, _inputEnd) = (0, _inputEnd - _inputStart);
        }

        int count = Math.Min(bytes.Length, _input.Length - _inputEnd);
        Span<byte> room = _input.AsSpan(_inputEnd, count);
        bytes[..count].CopyTo(room);
        bytes = bytes[count..];
        _inputEnd += count;
        return count > 0 && Decrypt(room);
    }

    /// <summary>Takes the next whole item: a line without its LF, or the payload announced by <see cref="ExpectPayload"/>.</summary>
    /// <param name="item">Borrowed until the next <see cref="TryFill"/>.</param>
    /// <param name="isPayload">Which of the two it is.</param>
    public bool TryTake(out ReadOnlySpan<byte> item, out bool isPayload)
    {
        ReadOnlySpan<byte> rest = _input.AsSpan(_inputStart, _inputEnd - _inputStart);
        isPayload = _payloadLength > 0;
        int length = isPayload ? _payloadLength : rest.IndexOf((byte)'\n');
        item = default;
        if (length < 0 || length > rest.Length)
            return false;

        item = rest[..length];
        _inputStart += isPayload ? length : length + 1;
        _payloadLength = 0;
        return true;
    }

    /// <summary>The next item is a payload of this many bytes; 0: it is a line after all.</summary>
    public void ExpectPayload(int length) => _payloadLength = length;

    /// <summary>
    /// Whether output had to be left out because the peer does not read or the cipher is used up. The stream is then of no use
    /// any more, and the next periodic check ends the connection.
    /// </summary>
    public bool IsBroken { get; private set; }

    /// <summary>Appends a line (its LF is added) or other bytes to the output. False if it was left out.</summary>
    public bool TrySend(ReadOnlySpan<byte> bytes, bool isLine, Instant now)
    {
        int count = bytes.Length + (isLine ? 1 : 0);
        if (isLine && bytes.Length > ProtocolLimits.MaxLine)
            return false;
        IsBroken |= PendingLength + count > ProtocolLimits.MaxPendingOutput || (_encrypt is not null && _encrypt.ByteBudget < count);
        if (IsBroken)
            return false;

        Span<byte> room = Reserve(count, now);
        bytes.CopyTo(room);
        if (isLine)
            room[^1] = (byte)'\n';
        _encrypt?.Transform(room, room);
        return true;
    }

    /// <summary>The first <paramref name="count"/> bytes of the output are gone.</summary>
    public void Sent(int count, Instant now)
    {
        _outputStart += Math.Clamp(count, 0, PendingLength);
        OutputSince = now;
        if (_outputStart == _outputEnd)
            _outputStart = _outputEnd = 0;
    }

    private Span<byte> Reserve(int count, Instant now)
    {
        if (PendingLength == 0)
            OutputSince = now;
        if (_outputEnd + count > _output.Length)
        {
            int pending = PendingLength;
            byte[] target = pending + count <= _output.Length / 2
                ? _output
                : new byte[Math.Max(1024, 2 * (pending + count))];
            Pending.CopyTo(target);
            (_output, _outputStart, _outputEnd) = (target, 0, pending);
        }

        _outputEnd += count;
        return _output.AsSpan(_outputEnd - count, count);
    }

    private bool Decrypt(Span<byte> bytes)
    {
        if (_decrypt is null)
            return true;
        if (_decrypt.ByteBudget < bytes.Length)
            return false;
        _decrypt.Transform(bytes, bytes);
        return true;
    }
}
