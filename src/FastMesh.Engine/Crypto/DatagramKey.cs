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

    /// <summary>Takes key material.</summary>
    /// <param name="format">Sptps or FastMesh.</param>
    /// <param name="suite">The AEAD.</param>
    /// <param name="key">At least 32 bytes, the first 32 are used.</param>
    public DatagramKey(SessionFormat format, DataSuite suite, ReadOnlySpan<byte> key) => throw new NotImplementedException();

    /// <summary>Its format.</summary>
    public SessionFormat Format => throw new NotImplementedException();

    /// <summary>Its AEAD.</summary>
    public DataSuite Suite => throw new NotImplementedException();

    /// <summary>Bytes of the sequence number in front of a record: 4 or 8.</summary>
    public int SequenceLength => throw new NotImplementedException();

    /// <summary>Encrypts and authenticates; the sequence number is not written.</summary>
    /// <param name="sequence">Number of the record.</param>
    /// <param name="plain">Type and data.</param>
    /// <param name="output">Room for the plain bytes and <see cref="TagLength"/> more.</param>
    public void Seal(ulong sequence, ReadOnlySpan<byte> plain, Span<byte> output) => throw new NotImplementedException();

    /// <summary>Verifies and decrypts; false, with nothing of use in the output, if the tag is wrong.</summary>
    /// <param name="sequence">Number of the record.</param>
    /// <param name="sealedBytes">Sealed type and data, then the tag.</param>
    /// <param name="plain">Room for <see cref="TagLength"/> bytes less.</param>
    public bool TryOpen(ulong sequence, ReadOnlySpan<byte> sealedBytes, Span<byte> plain) => throw new NotImplementedException();

    /// <summary>Whether a datagram without its two node ids was sealed under this key.</summary>
    public bool Verifies(ReadOnlySpan<byte> datagram) => throw new NotImplementedException();
}
