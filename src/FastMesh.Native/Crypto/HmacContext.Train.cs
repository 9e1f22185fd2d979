using System.Security.Cryptography;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Crypto;

public sealed unsafe partial class HmacContext
{
    // From this many messages on; a single one is as fast with libcrypto.
    private const int MinBurst = 2;

    /// <summary>
    /// Whether HMAC-SHA-256 of several messages is computed side by side: where ipsec-mb is installed and gives the right tags. Probed once.
    /// </summary>
    public static bool HasTrains { get; } = HashBurst.IsAvailable && PassesSelfTest();

    /// <summary>Computes the tag of each message as <see cref="Compute"/> does and writes it right behind the message.</summary>
    /// <param name="memory">Where the messages lie; they do not overlap each other or a tag, and none is empty.</param>
    /// <param name="messages">Offset and length of each.</param>
    /// <param name="tagLength">Leading bytes of the tag to write.</param>
    /// <returns>False if that is more than the digest's size.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A message or its tag is not inside the memory.</exception>
    public bool ComputeTrain(Span<byte> memory, ReadOnlySpan<(int Offset, int Length)> messages, int tagLength)
    {
        if (tagLength > Digest.Size || IsClosed)
            return false;
        if (_isSha256 && HasTrains)
        {
            for (; messages.Length >= MinBurst; messages = messages[Math.Min(messages.Length, HashBurst.MaxMessages)..])
                if (!ComputeBurst(memory, messages[..Math.Min(messages.Length, HashBurst.MaxMessages)], tagLength))
                    return false;
        }

        foreach ((int offset, int length) in messages)
            if (!Compute(memory.Slice(offset, length), memory.Slice(offset + length, tagLength)))
                return false;
        return true;
    }

    /// <summary>
    /// Compares the tag right behind each message with the right one, as <see cref="Verify"/> does: in constant time, and none is written anywhere.
    /// </summary>
    /// <param name="memory">Where the messages lie; none is empty.</param>
    /// <param name="messages">Offset and length of each, without the tag; at most 64.</param>
    /// <param name="tagLength">Leading bytes of the tag that were sent.</param>
    /// <returns>Bit 0 tells whether the first message is genuine, bit 1 the second, and so on.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There are too many messages, or one with its tag is not inside the memory.</exception>
    public ulong VerifyTrain(ReadOnlySpan<byte> memory, ReadOnlySpan<(int Offset, int Length)> messages, int tagLength)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(messages.Length, HashBurst.MaxMessages);
        if (tagLength > Digest.Size || IsClosed)
            return 0;
        ulong genuine = 0;
        bool together = _isSha256 && HasTrains && messages.Length >= MinBurst;
        if (together && !RunBurst(memory, messages, tagLength))
            return 0;
        for (int i = 0; i < messages.Length; i++)
        {
            (int offset, int length) = messages[i];
            ReadOnlySpan<byte> tag = memory.Slice(offset + length, tagLength);
            bool right = together ? CryptographicOperations.FixedTimeEquals(HashBurst.Current.Tag(i)[..tagLength], tag)
                : Verify(memory.Slice(offset, length), tag);
            genuine |= right ? 1UL << i : 0;
        }

        return genuine;
    }

    private bool ComputeBurst(Span<byte> memory, ReadOnlySpan<(int Offset, int Length)> messages, int tagLength)
    {
        bool ok = RunBurst(memory, messages, tagLength);
        for (int i = 0; i < messages.Length && ok; i++)
            HashBurst.Current.Tag(i)[..tagLength].CopyTo(memory[(messages[i].Offset + messages[i].Length)..]);
        return ok;
    }

    /// <summary>Leaves the tags in the thread's <see cref="HashBurst"/>.</summary>
    private bool RunBurst(ReadOnlySpan<byte> memory, ReadOnlySpan<(int Offset, int Length)> messages, int tagLength)
    {
        HashBurst burst = HashBurst.Current;
        byte* inner = (byte*)handle, outer = inner + Libcrypto.Sha256ContextSize; // SHA256_CTX begins with the eight words
        bool ok;
        fixed (byte* start = memory)
        {
            for (int i = 0; i < messages.Length; i++)
            {
                (int offset, int length) = messages[i];
                ArgumentOutOfRangeException.ThrowIfNegativeOrZero(length);
                _ = memory.Slice(offset, length + tagLength); // checks that it is inside
                burst.Set(i, start + offset, length, inner, outer);
            }

            ok = burst.Run(messages.Length);
        }

        GC.KeepAlive(this);
        return ok;
    }

    /// <summary>Compares with .NET's HMAC, so a library whose structures differ from ours is never used.</summary>
    private static bool PassesSelfTest()
    {
        const int Messages = 17, Stride = 256;
        byte[] key = [.. Enumerable.Range(0, 48).Select(i => (byte)i)], memory = new byte[Messages * Stride];
        var messages = new (int Offset, int Length)[Messages];
        for (int i = 0; i < Messages; i++)
        {
            messages[i] = (i * Stride, 16 + (13 * i));
            memory.AsSpan(i * Stride, Stride - Sha256Size).Fill((byte)(i + 1));
        }

        using HmacContext context = new(EvpDigest.Find(Sha256Nid)!, key);
        if (!context._isSha256 || !context.ComputeBurst(memory, messages, tagLength: 16))
            return false;
        foreach ((int offset, int length) in messages)
        {
            ReadOnlySpan<byte> tag = HMACSHA256.HashData(key, memory.AsSpan(offset, length)).AsSpan(0, 16);
            if (!memory.AsSpan(offset + length, 16).SequenceEqual(tag))
                return false;
        }

        return true;
    }
}
