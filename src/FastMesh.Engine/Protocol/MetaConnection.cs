using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// How far a meta connection is. The states from <see cref="Id"/> to <see cref="Ack"/> are named after what is accepted next
/// (tinc 1.0 reference, 4.4; tinc 1.1 reference, 1.2):
/// <code>
/// Connecting -> [Proxy] -> Id -> MetaKey -> Challenge -> ChalReply -> Ack -> Active
///                          Id -> Sptps                             -> Ack -> Active
///                                                       ChalReply  -> Ack -> Ending       the upgrade to Ed25519 keys
///                          Id -> Invitation
/// </code>
/// </summary>
internal enum MetaState
{
    Connecting,
    Proxy,
    Id,

    /// <summary>Handshake records.</summary>
    Sptps,
    MetaKey,
    Challenge,
    ChalReply,
    Ack,

    /// <summary>The records of someone who redeems an invitation.</summary>
    Invitation,

    /// <summary>Nothing: the connection ends as soon as its output is written.</summary>
    Ending,
    Active,
}

/// <summary>What a connection received.</summary>
internal enum MetaItem
{
    /// <summary>Nothing whole.</summary>
    None,

    /// <summary>A request, without its LF.</summary>
    Line,

    /// <summary>An application record of an SPTPS connection: a request, unless the connection is for an invitation.</summary>
    Record,

    /// <summary>The payload of a PACKET.</summary>
    Packet,

    /// <summary>The payload of an SPTPS_PACKET.</summary>
    Datagram,

    /// <summary>The SPTPS handshake is complete.</summary>
    Ready,

    /// <summary>Something that ends the connection: the peer broke the rules of SPTPS, or the stream was altered.</summary>
    Broken,
}

/// <summary>
/// One TCP peer: its identity and state, the bytes received but not yet a whole request, the bytes not yet written, and the
/// stream ciphers of both directions or the SPTPS session. Knows no request; <see cref="Mesh"/> decides.
/// </summary>
internal sealed class MetaConnection(ConnectionId id, Endpoint remote, bool initiator, Instant now)
{
    private byte[] _input = new byte[ProtocolLimits.ReceiveBuffer];
    private int _inputStart, _inputEnd, _inputNeeded;
    private (MetaItem Kind, int Length) _announced;
    private byte[] _output = [];
    private int _outputStart, _outputEnd;
    private MetaCipher? _encrypt, _decrypt;
    private SptpsRecords? _records;
    private string? _text;

    public ConnectionId Id { get; } = id;

    /// <summary>The other end's address as far as known; log lines and the edge to it use it.</summary>
    public Endpoint Remote { get; } = remote;

    /// <summary>This end's address, or "no address"; the own edge to the peer announces it.</summary>
    public Endpoint Local { get; set; }

    /// <summary>Whether this node opened the connection.</summary>
    public bool Initiator { get; } = initiator;

    /// <summary>Why it ends, where that is known.</summary>
    public string? EndReason { get; set; }

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

    /// <summary>The minor version of our ID (tinc 1.1 reference, 1.1).</summary>
    public int OwnMinor { get; set; }

    /// <summary>The minor version that counts: 2 and above SPTPS, 1 the upgrade to Ed25519 keys, 0 tinc 1.0 (tinc 1.1 reference, 1.1).</summary>
    public int Minor { get; set; }

    /// <summary>Who redeems an invitation on this connection, once the cookie was good.</summary>
    public string? Invited { get; set; }

    /// <summary>Options sent in our ACK; once active, those of the edge to the peer.</summary>
    public EdgeOptions Options { get; set; }

    /// <summary>Weight sent in our ACK.</summary>
    public int Weight { get; set; }

    public Instant LastPing { get; set; } = now;

    /// <summary>Whether a PING waits for its PONG.</summary>
    public bool Pinged { get; set; }

    public bool IsActive => State == MetaState.Active;

    /// <summary>Whether a request has come since it became active.</summary>
    public bool HasSpoken { get; set; }

    /// <summary>Whether requests travel in SPTPS records.</summary>
    public bool IsSptps => _records is not null;

    /// <summary>The peer's own minor version, once it has sent its ACK (tinc 1.1 reference, 1.5).</summary>
    public int PeerMinor => (int)((uint)Options >> 24);

    /// <summary>Since when the output has made no progress; meaningful while there is output.</summary>
    public Instant OutputSince { get; private set; }

    public int PendingLength => _outputEnd - _outputStart;

    public ReadOnlySpan<byte> Pending => _output.AsSpan(_outputStart, PendingLength);

    public int OutputCapacity => _output.Length;

    public int OutputStart => _outputStart;

    public bool Encrypting => _encrypt is not null || _records is { IsReady: true };

    public bool Decrypting => _decrypt is not null || _records is { IsReady: true };

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

    /// <summary>All that follows the request being handled, and all output from now on, are SPTPS records.</summary>
    public void StartSptps(SptpsHandshake handshake, Instant now)
    {
        _records = new SptpsRecords(handshake);
        Append(_records.Start(), now);
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

        if (_input.Length < _inputNeeded)
            Array.Resize(ref _input, _inputNeeded);
        int count = Math.Min(bytes.Length, _input.Length - _inputEnd);
        Span<byte> room = _input.AsSpan(_inputEnd, count);
        bytes[..count].CopyTo(room);
        bytes = bytes[count..];
        _inputEnd += count;
        return count > 0 && Decrypt(room);
    }

    /// <summary>
    /// Takes the next whole item. Handshake records are answered on the way, so that there may be output afterwards.
    /// </summary>
    /// <param name="item">The item; borrowed until the next call or <see cref="TryFill"/>.</param>
    /// <param name="recordType">The type of a <see cref="MetaItem.Record"/>.</param>
    /// <param name="now">Current time.</param>
    public MetaItem Take(out ReadOnlySpan<byte> item, out byte recordType, Instant now)
    {
        recordType = 0;
        if (_announced.Kind == MetaItem.Datagram || (_announced.Kind == MetaItem.Packet && _records is null))
            return TakeRaw(out item);
        return _records is null ? TakeLine(out item) : TakeRecord(_records, out item, out recordType, now);
    }

    /// <summary>The next item is a payload, of a <see cref="MetaItem.Packet"/> or a <see cref="MetaItem.Datagram"/>; 0 bytes: it is a request after all.</summary>
    public void Expect(MetaItem payload, int length) => _announced = length == 0 ? default : (payload, length);

    private MetaItem TakeLine(out ReadOnlySpan<byte> item)
    {
        item = default;
        ReadOnlySpan<byte> rest = Input;
        int length = rest.IndexOf((byte)'\n');
        if (length < 0)
            return MetaItem.None;
        item = rest[..length];
        _inputStart += length + 1;
        return MetaItem.Line;
    }

    /// <summary>A payload that lies in the stream as it is.</summary>
    private MetaItem TakeRaw(out ReadOnlySpan<byte> item)
    {
        item = default;
        (MetaItem kind, int length) = _announced;
        if (Input.Length < length)
        {
            _inputNeeded = length;
            return MetaItem.None;
        }

        item = Input[..length];
        _inputStart += length;
        _announced = default;
        return kind;
    }

    private MetaItem TakeRecord(SptpsRecords records, out ReadOnlySpan<byte> item, out byte recordType, Instant now)
    {
        while (true)
        {
            int limit = IsActive ? ProtocolLimits.MaxRecord : ProtocolLimits.ReceiveBuffer;
            SptpsRead result = records.Read(Input, limit, out int length, out recordType, out item);
            if (result == SptpsRead.More)
            {
                _inputNeeded = length;
                return MetaItem.None;
            }

            if (result == SptpsRead.Broken)
                return MetaItem.Broken;
            _inputStart += length;
            if (result == SptpsRead.Application)
                break;
            Append(records.Reply, now);
            if (result == SptpsRead.Ready)
                return MetaItem.Ready;
        }

        if (_announced.Kind != MetaItem.Packet)
            return MetaItem.Record;
        bool fits = item.Length == _announced.Length;
        _announced = default;
        return fits ? MetaItem.Packet : MetaItem.Broken;
    }

    /// <summary>The first bytes received that were not taken.</summary>
    public ReadOnlySpan<byte> Input => _input.AsSpan(_inputStart, _inputEnd - _inputStart);

    /// <summary>
    /// Whether output had to be left out because the peer does not read or the cipher is used up. The stream is then of no use
    /// any more, and the next periodic check ends the connection.
    /// </summary>
    public bool IsBroken { get; private set; }

    /// <summary>Appends a line (its LF is added) or the payload of a PACKET to the output. False if it was left out.</summary>
    public bool TrySend(ReadOnlySpan<byte> bytes, bool isLine, Instant now)
    {
        if ((isLine && bytes.Length > ProtocolLimits.MaxLine) || _records is { IsReady: false })
            return false;
        int count = bytes.Length + (isLine ? 1 : 0), before = _records is null ? 0 : SptpsRecords.HeaderLength;
        if (!TryReserve(_records?.RecordLength(count) ?? count, now, out Span<byte> room))
            return false;
        bytes.CopyTo(room[before..]);
        if (isLine)
            room[before + bytes.Length] = (byte)'\n';
        _records?.Seal(0, room);
        _encrypt?.Transform(room, room);
        return true;
    }

    /// <summary>Appends an application record of an SPTPS connection. False if it was left out.</summary>
    public bool TrySendRecord(byte type, ReadOnlySpan<byte> data, Instant now)
    {
        if (_records is not { IsReady: true } || !TryReserve(_records.RecordLength(data.Length), now, out Span<byte> room))
            return false;
        data.CopyTo(room[SptpsRecords.HeaderLength..]);
        _records.Seal(type, room);
        return true;
    }

    /// <summary>Appends bytes that are not to be encrypted, being encrypted end to end. False if they were left out.</summary>
    public bool TrySendRaw(ReadOnlySpan<byte> bytes, Instant now)
    {
        if (!TryReserve(bytes.Length, now, out Span<byte> room))
            return false;
        bytes.CopyTo(room);
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

    private void Append(ReadOnlySpan<byte> bytes, Instant now) => bytes.CopyTo(Reserve(bytes.Length, now));

    private bool TryReserve(int count, Instant now, out Span<byte> room)
    {
        room = default;
        IsBroken |= PendingLength + count > ProtocolLimits.MaxPendingOutput || (_encrypt is not null && _encrypt.ByteBudget < count)
            || _records is { IsWornOut: true };
        if (!IsBroken)
            room = Reserve(count, now);
        return !IsBroken;
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
