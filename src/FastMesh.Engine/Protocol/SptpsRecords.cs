using System.Buffers.Binary;
using FastMesh.Engine.Crypto;

namespace FastMesh.Engine.Protocol;

/// <summary>What <see cref="SptpsRecords.Read"/> found at the start of the stream.</summary>
internal enum SptpsRead
{
    /// <summary>Less than a record.</summary>
    More,

    /// <summary>An application record.</summary>
    Application,

    /// <summary>A handshake record, which is dealt with; <see cref="SptpsRecords.Reply"/> must be sent.</summary>
    Handshake,

    /// <summary>The same, and it was the last one of the first handshake: application records may be sent after the reply.</summary>
    Ready,

    /// <summary>The peer broke the rules or someone altered the stream. Nothing more can be read.</summary>
    Broken,
}

/// <summary>
/// The record layer of one SPTPS session over a byte stream, in both directions (tinc 1.1 reference, 3.1, 3.2). Buffers belong to the caller.
/// <code>
/// plaintext    length 2 | type 1 | data
/// encrypted    length 2 | sealed(type 1 | data) | tag 16
/// </code>
/// The length, big endian, is that of the data alone. Call <see cref="Start"/> first; then <see cref="Read"/> for what arrives, and
/// <see cref="Seal"/> once <see cref="IsReady"/>.
/// </summary>
internal sealed class SptpsRecords(SptpsHandshake handshake)
{
    /// <summary>Bytes in front of the data of a record.</summary>
    public const int HeaderLength = LengthField + 1;

    /// <summary>The most data that a record can have.</summary>
    public const int MaxData = ushort.MaxValue;

    private const int LengthField = 2;

    private readonly List<SptpsStep> _steps = [];
    private DatagramKey? _output, _input;
    private ulong _sent, _received;
    private byte[] _sealing = [], _opened = [], _reply = [];

    /// <summary>Whether the first handshake is complete.</summary>
    public bool IsReady => handshake.IsReady;

    /// <summary>What the last handshake record calls for, as bytes of the stream; empty in most cases.</summary>
    public ReadOnlySpan<byte> Reply => _reply;

    /// <summary>Whether the numbers of records that may be sent under the session are used up.</summary>
    public bool IsWornOut => _sent > uint.MaxValue;

    /// <summary>The bytes that begin the first handshake.</summary>
    public ReadOnlySpan<byte> Start()
    {
        _steps.Clear();
        handshake.Start(_steps);
        Perform();
        return _reply;
    }

    /// <summary>Bytes of a record with that much data.</summary>
    public int RecordLength(int data) => HeaderLength + data + (_output is null ? 0 : DatagramKey.TagLength);

    /// <summary>Makes a record of data that lies in its place, <see cref="HeaderLength"/> bytes from the beginning.</summary>
    /// <param name="type">Record type, below 128.</param>
    /// <param name="record"><see cref="RecordLength"/> bytes.</param>
    public void Seal(byte type, Span<byte> record)
    {
        int data = record.Length - RecordLength(0);
        BinaryPrimitives.WriteUInt16BigEndian(record, checked((ushort)data));
        record[LengthField] = type;
        if (_output is not null)
        {
            Span<byte> plain = Room(ref _sealing, 1 + data);
            record.Slice(LengthField, 1 + data).CopyTo(plain);
            _output.Seal(_sent, plain, record[LengthField..]);
        }

        _sent++;
    }

    /// <summary>Takes the record at the start of a stream.</summary>
    /// <param name="stream">What has arrived and was not taken.</param>
    /// <param name="maxData">The most data a record may have; before the handshake is complete, a KEX is the limit.</param>
    /// <param name="length">Bytes of the record; of an incomplete one as far as known, else 0.</param>
    /// <param name="type">Type of an application record.</param>
    /// <param name="data">Its data, borrowed until the next call.</param>
    public SptpsRead Read(ReadOnlySpan<byte> stream, int maxData, out int length, out byte type, out ReadOnlySpan<byte> data)
    {
        (length, type) = (0, 0);
        data = default;
        if (stream.Length < LengthField)
            return SptpsRead.More;
        int count = BinaryPrimitives.ReadUInt16BigEndian(stream);
        if (count > (IsReady ? maxData : SptpsHandshake.KexLength) || _received > uint.MaxValue)
            return SptpsRead.Broken;
        length = HeaderLength + count + (_input is null ? 0 : DatagramKey.TagLength);
        if (stream.Length < length)
            return SptpsRead.More;

        ReadOnlySpan<byte> record = stream[LengthField..length];
        if (_input is not null)
        {
            Span<byte> plain = Room(ref _opened, 1 + count);
            if (!_input.TryOpen(_received, record, plain))
                return SptpsRead.Broken;
            record = plain;
        }

        _received++;
        type = record[0];
        data = record[1..];
        if (type == SptpsHandshake.RecordType)
            return HandleHandshake(data);
        return type < SptpsHandshake.RecordType && IsReady ? SptpsRead.Application : SptpsRead.Broken;
    }

    private SptpsRead HandleHandshake(ReadOnlySpan<byte> content)
    {
        bool wasReady = IsReady;
        _steps.Clear();
        if (!handshake.Handle(content, _steps))
            return SptpsRead.Broken;
        Perform();
        return IsReady && !wasReady ? SptpsRead.Ready : SptpsRead.Handshake;
    }

    private void Perform()
    {
        List<byte> reply = [];
        foreach (SptpsStep step in _steps)
        {
            switch (step.Kind)
            {
                case SptpsStepKind.Send:
                    byte[] record = new byte[RecordLength(step.Data.Length)];
                    step.Data.CopyTo(record, HeaderLength);
                    Seal(SptpsHandshake.RecordType, record);
                    reply.AddRange(record);
                    break;
                case SptpsStepKind.SwitchOutput:
                    _output = new DatagramKey(SessionFormat.Sptps, DataSuite.TincChaCha20Poly1305, step.Data);
                    break;
                case SptpsStepKind.SwitchInput:
                    _input = new DatagramKey(SessionFormat.Sptps, DataSuite.TincChaCha20Poly1305, step.Data);
                    break;
            }
        }

        _reply = [.. reply];
    }

    private static Span<byte> Room(ref byte[] buffer, int length)
    {
        if (buffer.Length < length)
            buffer = new byte[Math.Max(length, 2 * buffer.Length)];
        return buffer.AsSpan(0, length);
    }
}
