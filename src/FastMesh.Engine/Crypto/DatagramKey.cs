using System.Buffers.Binary;
using FastMesh.Native.Crypto;

namespace FastMesh.Engine.Crypto;

/// <summary>How the datagrams of a session look (tinc 1.0 reference, 5.2; tinc 1.1 reference, 6.2).</summary>
public enum SessionFormat
{
    /// <summary>tinc 1.0: CBC and HMAC, no node ids.</summary>
    Legacy,

    /// <summary>tinc 1.1: node ids, 4-byte sequence number, tinc's ChaCha20-Poly1305.</summary>
    Sptps,

    /// <summary>Between FastMesh nodes: node ids, 8-byte sequence number whose first byte is the lane.</summary>
    FastMesh,
}

/// <summary>The AEAD of a session.</summary>
public enum DataSuite
{
    /// <summary>tinc's variant of ChaCha20-Poly1305 (tinc 1.1 reference, 3.2); the only one of <see cref="SessionFormat.Sptps"/>.</summary>
    TincChaCha20Poly1305,

    /// <summary>RFC 8439.</summary>
    ChaCha20Poly1305,

    /// <summary>AES-256-GCM.</summary>
    Aes256Gcm,
}

/// <summary>
/// The key of one direction of a session, for single records without state: handshake records of SPTPS, meta records, and telling whose an unknown datagram
/// is. A record is <c>sequence | sealed(type, data) | tag</c>: 21 bytes longer than its data in SPTPS, 25 in FastMesh. Usable by one thread at a time.
/// </summary>
public sealed class DatagramKey
{
    /// <summary>Bytes of key material: all 64 of an SPTPS direction (32 are used), or 32.</summary>
    public const int Length = 64;

    /// <summary>Bytes of a tag.</summary>
    public const int TagLength = 16;

    private const int UsedLength = Aead.KeyLength;

    private readonly Aead _aead;

    /// <summary>Takes key material.</summary>
    /// <param name="format">Sptps or FastMesh.</param>
    /// <param name="suite">The AEAD.</param>
    /// <param name="key">At least 32 bytes, the first 32 are used.</param>
    /// <exception cref="ArgumentException">The key is shorter, or format and suite do not belong together.</exception>
    public DatagramKey(SessionFormat format, DataSuite suite, ReadOnlySpan<byte> key)
    {
        if (key.Length < UsedLength)
            throw new ArgumentException("A datagram key has at least 32 bytes.", nameof(key));
        (Format, Suite) = (format, suite);
        _aead = (format, suite) switch
        {
            (SessionFormat.Sptps, DataSuite.TincChaCha20Poly1305) => Aead.CreateTincChaCha20Poly1305(key[..UsedLength]),
            (SessionFormat.FastMesh, DataSuite.ChaCha20Poly1305) => Aead.CreateChaCha20Poly1305(key[..UsedLength]),
            (SessionFormat.FastMesh, DataSuite.Aes256Gcm) => Aead.CreateAes256Gcm(key[..UsedLength]),
            _ => throw new ArgumentException("Format and suite do not belong together.", nameof(suite)),
        };
    }

    /// <summary>Its format.</summary>
    public SessionFormat Format { get; }

    /// <summary>Its AEAD.</summary>
    public DataSuite Suite { get; }

    /// <summary>Bytes of the sequence number in front of a record: 4 or 8.</summary>
    public int SequenceLength => Format == SessionFormat.Sptps ? sizeof(uint) : sizeof(ulong);

    /// <summary>Encrypts and authenticates; the sequence number is not written.</summary>
    /// <param name="sequence">Number of the record.</param>
    /// <param name="plain">Type and data.</param>
    /// <param name="output">Room for the plain bytes and <see cref="TagLength"/> more; may begin where they do, but not overlap them otherwise.</param>
    /// <exception cref="ArgumentException">There is too little room.</exception>
    public void Seal(ulong sequence, ReadOnlySpan<byte> plain, Span<byte> output)
    {
        Span<byte> nonce = stackalloc byte[Aead.NonceLength];
        if (!_aead.Seal(nonce, WriteNonce(sequence, nonce), plain, output))
            throw new ArgumentException("A record needs room for its tag.", nameof(output));
    }

    /// <summary>Verifies and decrypts; false, with nothing of use in the output, if the tag is wrong.</summary>
    /// <param name="sequence">Number of the record.</param>
    /// <param name="sealedBytes">Sealed type and data, then the tag.</param>
    /// <param name="plain">Room for <see cref="TagLength"/> bytes less; may begin where they do, but not overlap them otherwise.</param>
    public bool TryOpen(ulong sequence, ReadOnlySpan<byte> sealedBytes, Span<byte> plain)
    {
        Span<byte> nonce = stackalloc byte[Aead.NonceLength];
        return _aead.Open(nonce, WriteNonce(sequence, nonce), sealedBytes, plain);
    }

    /// <summary>Whether a datagram without its two node ids was sealed under this key.</summary>
    public bool Verifies(ReadOnlySpan<byte> datagram)
    {
        int length = datagram.Length - SequenceLength - TagLength;
        return length > 0 && TryOpen(ReadSequence(datagram), datagram[SequenceLength..], new byte[length]);
    }

    /// <summary>The sequence number that a record begins with.</summary>
    internal ulong ReadSequence(ReadOnlySpan<byte> record) =>
        Format == SessionFormat.Sptps ? BinaryPrimitives.ReadUInt32BigEndian(record) : BinaryPrimitives.ReadUInt64BigEndian(record);

    /// <summary>Writes the sequence number in front of a record.</summary>
    internal void WriteSequence(ulong sequence, Span<byte> record)
    {
        if (Format == SessionFormat.Sptps)
            BinaryPrimitives.WriteUInt32BigEndian(record, (uint)sequence);
        else
            BinaryPrimitives.WriteUInt64BigEndian(record, sequence);
    }

    /// <summary>
    /// Nonces are alike in all suites: four zero bytes and the sequence number. Returns the associated data: the number in FastMesh, nothing in SPTPS.
    /// </summary>
    private ReadOnlySpan<byte> WriteNonce(ulong sequence, Span<byte> nonce)
    {
        Span<byte> number = nonce[sizeof(uint)..];
        nonce[..sizeof(uint)].Clear();
        BinaryPrimitives.WriteUInt64BigEndian(number, sequence);
        return Format == SessionFormat.Sptps ? default : number;
    }
}
