using System.Buffers.Binary;
using FastMesh.Native.Crypto;

namespace FastMesh.Engine.Crypto;

/// <summary>What became of a received datagram.</summary>
public enum OpenResult
{
    /// <summary>It is genuine and new; the frame is in the output.</summary>
    Opened,

    /// <summary>As <see cref="Opened"/>; its transport checksum covers only the pseudo header.</summary>
    OpenedPartial,

    /// <summary>Too short, not decryptable, badly padded or a frame without a header.</summary>
    Malformed,

    /// <summary>The MAC is wrong.</summary>
    Forged,

    /// <summary>The sequence number was seen before, is too old or implausibly new.</summary>
    Replayed,

    /// <summary>Genuine, but the compressed frame does not expand.</summary>
    Corrupt,
}

/// <summary>
/// Opens packets from one tinc 1.0 node under the key issued to it (tinc 1.0 reference, 5.3 to 5.5). Used by one shard, its owner. Native
/// state is freed when nothing refers to the opener any more, since published tables may outlive it.
/// </summary>
/// <remarks>
/// While a new key is on its way, packets under the old one are in flight. tincd loses them; here the previous opener is asked about datagrams
/// whose MAC is wrong, until <see cref="GracePackets"/> packets were opened under the new key, and for at most <see cref="MaxPreviousPackets"/>
/// datagrams in all, of which a forgery counts as <see cref="ForgeryCost"/>: so forgeries cost double work for a moment only. A key without MAC
/// has no such grace.
/// </remarks>
public sealed class LegacyOpener : PacketOpener
{
    /// <summary>The longest frame that comes out of decompression, bytes (tinc 1.0 reference, 5.5).</summary>
    public const int MaxExpandedFrame = 1661;

    /// <summary>Packets under the new key after which the previous one is forgotten.</summary>
    public const int GracePackets = 64;

    /// <summary>The most datagrams that are tried under the previous key: half a second of a full 1 Gbit/s.</summary>
    public const int MaxPreviousPackets = 65536;

    /// <summary>As how many datagrams a forged one counts.</summary>
    public const int ForgeryCost = 64;

    private const int MinFrameLength = 14, MaxCompressedDatagram = 4096;

    private readonly CbcDecryptor? _decryptor;
    private readonly EvpCipherContext? _cipher; // null with cipher none, or if there is a decryptor
    private readonly HmacContext? _hmac;
    private readonly FrameCompressor? _compressor;
    private readonly byte[] _scratch = [];
    private readonly int _macLength;
    private readonly bool _usable;
    private volatile LegacyOpener? _previous;
    private int _previousBudget = MaxPreviousPackets;
    private ReplayWindow _window;
    private uint _highestSequence;

    /// <summary>Prepares a key that is about to be sent in an ANS_KEY.</summary>
    /// <param name="key">The key; if it is not usable, nothing can be opened.</param>
    /// <param name="replayWindowBytes">ReplayWindow; 0 turns the check off.</param>
    /// <param name="owner">Index of the shard that uses this opener.</param>
    /// <param name="previous">The opener this one replaces, if any. It forgets its own predecessor.</param>
    public LegacyOpener(LegacyKey key, int replayWindowBytes, int owner, LegacyOpener? previous)
        : base(SessionFormat.Legacy, owner)
    {
        ArgumentNullException.ThrowIfNull(key);
        _window = new ReplayWindow(replayWindowBytes);
        _usable = key.IsUsable;
        if (previous is not null)
        {
            previous._previous = null;
            _previous = previous.Owner == owner ? previous : null; // native state is never shared between threads
        }

        if (!_usable)
            return;
        _decryptor = key.CreateDecryptor();
        _cipher = _decryptor is null ? key.CreateCipher(encrypt: false) : null;
        (_hmac, _macLength) = (key.CreateHmac(), key.MacLength);
        if (key.Suite.Compression == 0)
            return;
        _compressor = new FrameCompressor(key.Suite.Compression);
        _scratch = new byte[MaxCompressedDatagram];
    }

    /// <summary>Bytes of a sequence number and a MAC: anything shorter is malformed.</summary>
    internal override int MinDatagram => LegacySealer.SequenceLength + _macLength;

    /// <summary>
    /// The highest sequence number accepted under this key, 0 before the first. May be read from any thread; beyond 2^30 the keys are renewed.
    /// </summary>
    public uint HighestSequence => Volatile.Read(ref _highestSequence);

    /// <summary>Room that <see cref="PacketOpener.Open"/> needs for a datagram of <paramref name="datagramLength"/> bytes.</summary>
    public static int RoomFor(int datagramLength) => Math.Max(datagramLength, FrameOffset + MaxExpandedFrame);

    /// <inheritdoc/>
    public override int OutputLength(int datagramLength) => RoomFor(datagramLength);

    /// <summary>
    /// The first half of <see cref="PacketOpener.Open"/> for datagrams that came together: authenticates all of
    /// them, in half the time if the digest is SHA-256.
    /// </summary>
    /// <param name="memory">Where they lie.</param>
    /// <param name="datagrams">Offset and length of each, the length at least <see cref="MinDatagram"/>; at most 64.</param>
    /// <returns>Bit 0 tells whether the first one's MAC is right, bit 1 the second one's, and so on.</returns>
    internal override ulong Verify(ReadOnlySpan<byte> memory, ReadOnlySpan<(int Offset, int Length)> datagrams)
    {
        if (_hmac is null)
            return ulong.MaxValue;
        Span<(int, int)> messages = stackalloc (int, int)[MaxTogether];
        for (int i = 0; i < datagrams.Length; i++)
            messages[i] = (datagrams[i].Offset, datagrams[i].Length - _macLength);
        return _hmac.VerifyTrain(memory, messages[..datagrams.Length], _macLength);
    }

    /// <summary>The second half: what is left to do for one datagram once it is known whether its MAC is right under this key.</summary>
    internal override OpenResult OpenVerified(
        ReadOnlySpan<byte> datagram, bool genuine, Span<byte> output, out int frameOffset, out int frameLength)
    {
        frameOffset = FrameOffset;
        OpenResult result = OpenCore(datagram, genuine, output, out frameLength);
        LegacyOpener? previous = _previous;
        if (previous is null)
            return result;

        if (result == OpenResult.Forged)
        {
            result = previous.OpenCore(datagram, previous.IsGenuine(datagram), output, out frameLength);
            _previousBudget -= result == OpenResult.Forged ? ForgeryCost : 1;
        }
        else if (result == OpenResult.Opened)
        {
            _previousBudget = Math.Min(_previousBudget, GracePackets) - 1;
        }

        if (_previousBudget <= 0)
            _previous = null;
        return result;
    }

    private bool IsGenuine(ReadOnlySpan<byte> datagram) =>
        _hmac is null || (datagram.Length >= MinDatagram && _hmac.Verify(datagram[..^_macLength], datagram[^_macLength..]));

    private OpenResult OpenCore(ReadOnlySpan<byte> datagram, bool genuine, Span<byte> output, out int frameLength)
    {
        frameLength = 0;
        if (!_usable || datagram.Length < MinDatagram || output.Length < OutputLength(datagram.Length))
            return OpenResult.Malformed;
        if (!genuine)
            return OpenResult.Forged;
        ReadOnlySpan<byte> cipherText = datagram[..^_macLength];

        // Compressed frames are decrypted aside, so that the frame itself always lands in the output.
        Span<byte> plain = _compressor is null ? output : _scratch;
        int length = Decrypt(cipherText, plain);
        if (length < LegacySealer.SequenceLength)
            return OpenResult.Malformed;
        if (!_window.TryAccept(BinaryPrimitives.ReadUInt32BigEndian(plain)))
            return OpenResult.Replayed;
        Volatile.Write(ref _highestSequence, _window.Highest);

        frameLength = length - FrameOffset;
        if (_compressor is not null)
        {
            frameLength = _compressor.Expand(plain[FrameOffset..length], output.Slice(FrameOffset, MaxExpandedFrame));
            if (frameLength < 0)
                return OpenResult.Corrupt;
        }

        return frameLength < MinFrameLength ? OpenResult.Malformed : OpenResult.Opened;
    }

    private int Decrypt(ReadOnlySpan<byte> cipherText, Span<byte> plain)
    {
        if (_decryptor is not null)
            return _decryptor.Decrypt(cipherText, plain); // -1 as below
        if (_cipher is not null)
            return _cipher.Crypt(default, cipherText, plain); // -1 if the room is too short
        if (cipherText.Length > plain.Length)
            return -1;
        cipherText.CopyTo(plain);
        return cipherText.Length;
    }
}
