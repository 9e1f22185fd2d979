using System.Buffers.Binary;
using FastMesh.Native.Crypto;

namespace FastMesh.Engine.Crypto;

/// <summary>
/// Seals packets to one tinc 1.0 node under one key (tinc 1.0 reference, 5.2). Used by one shard, its owner; a new key means a new sealer. Native
/// state is freed when nothing refers to the sealer any more, since published tables may outlive it.
/// </summary>
public sealed partial class LegacySealer : PacketSealer
{
    /// <summary>Bytes in front of the frame that the sealer fills.</summary>
    public const int SequenceLength = Room;

    /// <summary>The longest frame that is compressed, bytes (ours); a sealed packet may have at most 1661 bytes anyway.</summary>
    public const int MaxCompressedFrame = 2048;

    private readonly EvpCipherContext? _cipher;
    private readonly HmacContext? _hmac;
    private readonly FrameCompressor? _compressor;
    private readonly byte[] _scratch = [];
    private readonly int _macLength;
    private readonly bool _usable;
    private uint _nextSequence = 1;

    /// <summary>Prepares a key that was just received.</summary>
    /// <param name="key">The key; if it is not usable, nothing can be sealed.</param>
    /// <param name="owner">Index of the shard that uses this sealer.</param>
    public LegacySealer(LegacyKey key, int owner)
        : base(SessionFormat.Legacy, owner)
    {
        ArgumentNullException.ThrowIfNull(key);
        _usable = key.IsUsable;
        if (!_usable)
            return;
        (_cipher, _hmac, _macLength) = (key.CreateCipher(encrypt: true), key.CreateHmac(), key.MacLength);
        if (key.Suite.Compression == 0)
        {
            _train = key.CreateTrain();
            _gathered = _train is null ? new byte[MaxGatheredPacket] : [];
            return;
        }

        _gathered = new byte[MaxGatheredPacket];
        _compressor = new FrameCompressor(key.Suite.Compression);
        _scratch = new byte[SequenceLength + FrameCompressor.MaxCompressedLength(MaxCompressedFrame)];
    }

    /// <summary>The number the next packet gets. May be read from any thread.</summary>
    public uint NextSequence => Volatile.Read(ref _nextSequence);

    /// <summary>The most bytes by which a sealed packet is longer than its frame, compression aside.</summary>
    public int Overhead => SequenceLength + (_cipher is { Cipher.BlockSize: > 1 } ? _cipher.Cipher.BlockSize : 0) + _macLength;

    /// <inheritdoc/>
    public override int SealedLength(int frameLength)
    {
        int length = SequenceLength + (_compressor is null ? frameLength : FrameCompressor.MaxCompressedLength(frameLength));
        return (_cipher?.EncryptedLength(length) ?? length) + _macLength;
    }

    /// <summary>Numbers, compresses, encrypts and authenticates one frame.</summary>
    /// <param name="packet"><see cref="SequenceLength"/> bytes of room, overwritten, followed by the frame.</param>
    /// <param name="output">Room for <see cref="SealedLength"/> bytes, not overlapping the packet.</param>
    /// <returns>Bytes written; 0 if there is too little room or all numbers of the key are used up.</returns>
    public int Seal(Span<byte> packet, Span<byte> output)
    {
        if (!_usable || packet.Length < SequenceLength || _nextSequence == 0
            || output.Length < SealedLength(packet.Length - SequenceLength))
            return 0;

        ReadOnlySpan<byte> plain = packet;
        if (_compressor is not null)
        {
            plain = Compress(packet);
            if (plain.IsEmpty)
                return 0;
        }
        else
        {
            BinaryPrimitives.WriteUInt32BigEndian(packet, _nextSequence);
        }

        int length = plain.Length;
        if (_cipher is null)
            plain.CopyTo(output);
        else if ((length = _cipher.Crypt(default, plain, output)) < 0)
            return 0;

        if (_hmac is not null && !_hmac.Compute(output[..length], output.Slice(length, _macLength)))
            return 0;

        Volatile.Write(ref _nextSequence, unchecked(_nextSequence + 1)); // 0 after the last number: the key is used up
        return length + _macLength;
    }

    private ReadOnlySpan<byte> Compress(ReadOnlySpan<byte> packet)
    {
        if (packet.Length - SequenceLength > MaxCompressedFrame)
            return default;
        int length = _compressor!.Compress(packet[SequenceLength..], _scratch.AsSpan(SequenceLength));
        if (length < 0)
            return default;
        BinaryPrimitives.WriteUInt32BigEndian(_scratch, _nextSequence);
        return _scratch.AsSpan(0, SequenceLength + length);
    }
}
