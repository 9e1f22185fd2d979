using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using FastMesh.Engine.Crypto;

namespace FastMesh.Engine.Protocol;

/// <summary>Ciphers offered in a FastMesh handshake.</summary>
[Flags]
internal enum FastMeshSuites : byte
{
    None = 0,

    /// <summary>ChaCha20-Poly1305 (RFC 8439).</summary>
    ChaCha20Poly1305 = 1,

    /// <summary>AES-256-GCM.</summary>
    Aes256Gcm = 2,
}

/// <summary>More of what a side can do.</summary>
[Flags]
internal enum FastMeshFlags : byte
{
    None = 0,

    /// <summary>This machine has instructions for AES.</summary>
    AesIsFast = 1,

    /// <summary>From the initiator: an ML-KEM-768 encapsulation key is attached; from the responder: the ciphertext is.</summary>
    MlKem = 2,

    /// <summary>Takes packets whose transport checksum covers only the pseudo header (<see cref="RecordType.PartialChecksum"/>).</summary>
    PartialChecksums = 4,

    /// <summary>Knows the records of speed tests (<see cref="Wire.SpeedRecord"/>).</summary>
    SpeedTest = 8,

    /// <summary>Three bits: 0 from nodes that know no lanes, n from those that send in up to 2^(n - 1) of them (<see cref="Crypto.Lanes"/>).</summary>
    Lanes = 7 << FastMeshKex.LanesShift,
}

/// <summary>What a node brings into each FastMesh handshake.</summary>
/// <param name="Suites">The ciphers it has.</param>
/// <param name="Flags">What else it can do.</param>
/// <param name="Compression">Level in which it wants packets, 0 to 12.</param>
/// <param name="Certificate">Signature of its RSA key (<see cref="KeyTrust.Certified"/>), or empty.</param>
internal sealed record FastMeshOffer(FastMeshSuites Suites, FastMeshFlags Flags, int Compression, byte[] Certificate)
{
    /// <summary>What a node with that many shards says of its lanes: the next power of two, as far as there are so many.</summary>
    public static FastMeshFlags LanesOf(int shards)
    {
        uint lanes = BitOperations.RoundUpToPowerOf2((uint)Math.Clamp(shards, 1, Crypto.Lanes.Max));
        return (FastMeshFlags)(1 + BitOperations.Log2(lanes) << FastMeshKex.LanesShift);
    }
}

/// <summary>
/// One side's KEX of a FastMesh handshake. What is sent is also what is signed.
/// <code>
///   0  version        1   1
///   1  suites         1
///   2  flags          1
///   3  compression    1
///   4  nonce         32
///  36  X25519        32   Edwards form (tinc 1.1 reference, 2.4)
///  68  identity      32   Ed25519
/// 100  length         2   big endian, of the
/// 102  certificate    n   RSA signature, or nothing
///      ML-KEM-768         with the flag: encapsulation key (1184, initiator) or ciphertext (1088, responder)
/// </code>
/// </summary>
internal sealed class FastMeshKex
{
    /// <summary>The longest: with an RSA key of 8192 bits and ML-KEM.</summary>
    public const int MaxLength = CertificateAt + 1024 + MlKemAgreement.EncapsulationKeyLength;

    /// <summary>Where <see cref="FastMeshFlags.Lanes"/> begin.</summary>
    public const int LanesShift = 4;

    /// <summary>The highest compression level there is (tinc 1.1 reference, chapter 8).</summary>
    public const int MaxCompression = 12;

    private const byte Version = 1;
    private const int NonceAt = 4, NonceLength = 32, EphemeralAt = NonceAt + NonceLength, IdentityAt = EphemeralAt + EphemeralKey.Length,
        CertificateLengthAt = IdentityAt + Ed25519PublicKey.Length, CertificateAt = CertificateLengthAt + sizeof(ushort);

    private readonly int _certificateLength;

    private FastMeshKex(byte[] bytes, int certificateLength) => (Bytes, _certificateLength) = (bytes, certificateLength);

    /// <summary>As sent.</summary>
    public byte[] Bytes { get; }

    public FastMeshSuites Suites => (FastMeshSuites)Bytes[1];

    public FastMeshFlags Flags => (FastMeshFlags)Bytes[2];

    /// <summary>In how many lanes its sender sends at most, 0 if it knows none.</summary>
    public int Lanes => (int)(Flags & FastMeshFlags.Lanes) is var n and > 0 ? 1 << (n >> LanesShift) - 1 : 0;

    public int Compression => Bytes[3];

    public ReadOnlySpan<byte> Nonce => Bytes.AsSpan(NonceAt, NonceLength);

    public ReadOnlySpan<byte> Ephemeral => Bytes.AsSpan(EphemeralAt, EphemeralKey.Length);

    public Ed25519PublicKey Identity => new(Bytes.AsSpan(IdentityAt, Ed25519PublicKey.Length));

    public byte[] Certificate => Bytes.AsSpan(CertificateAt, _certificateLength).ToArray();

    /// <summary>Encapsulation key or ciphertext; empty without the flag.</summary>
    public ReadOnlySpan<byte> MlKem => Bytes.AsSpan(CertificateAt + _certificateLength);

    /// <summary>Composes an own one.</summary>
    public static FastMeshKex Compose(
        FastMeshOffer offer, Ed25519PublicKey identity, ReadOnlySpan<byte> ephemeral, ReadOnlySpan<byte> mlKem, IRandomSource random)
    {
        byte[] bytes = new byte[CertificateAt + offer.Certificate.Length + mlKem.Length];
        FastMeshFlags flags = mlKem.IsEmpty ? offer.Flags & ~FastMeshFlags.MlKem : offer.Flags | FastMeshFlags.MlKem;
        (bytes[0], bytes[1], bytes[2], bytes[3]) = (Version, (byte)offer.Suites, (byte)flags, (byte)offer.Compression);
        random.Fill(bytes.AsSpan(NonceAt, NonceLength));
        ephemeral.CopyTo(bytes.AsSpan(EphemeralAt));
        identity.Bytes.CopyTo(bytes.AsSpan(IdentityAt));
        BinaryPrimitives.WriteUInt16BigEndian(bytes.AsSpan(CertificateLengthAt), (ushort)offer.Certificate.Length);
        offer.Certificate.CopyTo(bytes.AsSpan(CertificateAt));
        mlKem.CopyTo(bytes.AsSpan(CertificateAt + offer.Certificate.Length));
        return new FastMeshKex(bytes, offer.Certificate.Length);
    }

    /// <summary>Checks the peer's one for form.</summary>
    /// <param name="bytes">As received.</param>
    /// <param name="initiator">Whether its sender is the initiator.</param>
    /// <param name="kex">The result.</param>
    public static bool TryRead(ReadOnlySpan<byte> bytes, bool initiator, [NotNullWhen(true)] out FastMeshKex? kex)
    {
        kex = null;
        if (bytes.Length is < CertificateAt or > MaxLength || bytes[0] != Version || bytes[3] > MaxCompression)
            return false;
        int certificate = BinaryPrimitives.ReadUInt16BigEndian(bytes[CertificateLengthAt..]);
        bool hasMlKem = ((FastMeshFlags)bytes[2]).HasFlag(FastMeshFlags.MlKem);
        int mlKem = !hasMlKem ? 0 : initiator ? MlKemAgreement.EncapsulationKeyLength : MlKemAgreement.CiphertextLength;
        if (bytes.Length != CertificateAt + certificate + mlKem)
            return false;
        kex = new FastMeshKex(bytes.ToArray(), certificate);
        return true;
    }
}
