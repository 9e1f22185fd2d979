using System.Security.Cryptography;
using System.Text;
using FastMesh.Engine.Crypto;

namespace FastMesh.Engine.Protocol;

/// <summary>Messages of the FastMesh handshake, and what else travels under the same private subtypes of REQ_KEY.</summary>
internal enum FastMeshMessage
{
    /// <summary>The initiator's KEX.</summary>
    KexA = 101,

    /// <summary>The responder's KEX.</summary>
    KexB = 102,

    /// <summary>The responder's signature.</summary>
    SigB = 103,

    /// <summary>The initiator's signature.</summary>
    SigA = 104,

    /// <summary>The responder has both keys in use.</summary>
    Ack = 105,

    /// <summary>No handshake message: one datagram without its node ids.</summary>
    Datagram = 110,
}

/// <summary>What a handshake agreed on.</summary>
/// <param name="Suite">The cipher.</param>
/// <param name="IsHybrid">Whether ML-KEM-768 took part.</param>
/// <param name="PartialChecksums">Whether the peer takes packets whose transport checksum covers only the pseudo header.</param>
/// <param name="SpeedTest">Whether the peer knows the records of speed tests.</param>
/// <param name="Lanes">In how many lanes each side sends at most: (1, 1) unless both know lanes.</param>
/// <param name="Compression">Level in which the peer wants packets.</param>
/// <param name="Output">Key of what this node sends, <see cref="DatagramKey.Length"/> bytes.</param>
/// <param name="Input">Key of what it receives.</param>
internal sealed record FastMeshAgreement(
    DataSuite Suite, bool IsHybrid, bool PartialChecksums, bool SpeedTest, (int Own, int Peer) Lanes, int Compression, byte[] Output, byte[] Input)
{
    /// <summary>The form of log lines.</summary>
    public string Describe() =>
        $"{(Suite == DataSuite.Aes256Gcm ? "AES-256-GCM" : "ChaCha20-Poly1305")}, {(IsHybrid ? "X25519 + ML-KEM-768" : "X25519")}";
}

/// <summary>
/// One run of the FastMesh handshake, on either side; knows neither time nor how messages travel.
/// <code>
/// initiator                              responder
///   KexA  --------------------------->     both sides' offers, nonces, ephemeral keys, identities
///         &lt;---------------------------  KexB, SigB
///   SigA  --------------------------->     each signs role, own KEX, other KEX, label: nothing that was offered can be taken away
///         &lt;---------------------------  Ack      a value that only the two can know
/// </code>
/// A message that does not fit is refused without effect: the right one may still come. Keys exist only after the peer's signature has been verified and its
/// identity believed.
/// </summary>
internal sealed class FastMeshHandshake : IDisposable
{
    private const int ConfirmationLength = 32;

    private readonly Ed25519Identity _own;
    private readonly FastMeshOffer _offer;
    private readonly Func<Ed25519PublicKey, byte[], bool> _believes;
    private readonly byte[] _label;
    private readonly EphemeralKey _ephemeral;
    private readonly MlKemAgreement? _mlKem;
    private readonly byte[] _secret = new byte[EphemeralKey.Length + MlKemAgreement.SharedLength];
    private FastMeshKex? _ownKex, _peerKex;
    private byte[] _confirmation = [];

    /// <summary>Prepares one side.</summary>
    /// <param name="own">Own identity.</param>
    /// <param name="offer">What this node brings.</param>
    /// <param name="names">Initiator and responder.</param>
    /// <param name="isInitiator">Which of them this node is.</param>
    /// <param name="believes">Whether an identity, with its certificate, is the peer's; asked after its owner has proved to have the key.</param>
    /// <param name="random">For nonces and keys.</param>
    public FastMeshHandshake(
        Ed25519Identity own, FastMeshOffer offer, (string Initiator, string Responder) names, bool isInitiator,
        Func<Ed25519PublicKey, byte[], bool> believes, IRandomSource random)
    {
        (_own, _offer, IsInitiator, _believes) = (own, offer, isInitiator, believes);
        _label = Encoding.ASCII.GetBytes($"FastMesh session {names.Initiator} {names.Responder}");
        _ephemeral = new EphemeralKey(random);
        if (!isInitiator)
            return;
        _mlKem = offer.Flags.HasFlag(FastMeshFlags.MlKem) ? new MlKemAgreement() : null;
        _ownKex = FastMeshKex.Compose(offer, own.Public, _ephemeral.Public, _mlKem is null ? [] : _mlKem.EncapsulationKey, random);
    }

    /// <summary>Whether this node began it.</summary>
    public bool IsInitiator { get; }

    /// <summary>The initiator's first message.</summary>
    public byte[] KexA => IsInitiator ? _ownKex!.Bytes : [];

    /// <summary>The result, once the peer has proved itself.</summary>
    public FastMeshAgreement? Agreement { get; private set; }

    /// <summary>Whether both sides have agreed: an initiator must not send under the keys before that.</summary>
    public bool IsConfirmed { get; private set; }

    private Span<byte> Secret => _secret.AsSpan(0, EphemeralKey.Length);

    private Span<byte> MlKemSecret => _secret.AsSpan(EphemeralKey.Length);

    /// <summary>The responder takes <see cref="FastMeshMessage.KexA"/> and answers with KexB and SigB.</summary>
    public bool TryRespond(ReadOnlySpan<byte> message, IRandomSource random, out byte[] kexB, out byte[] sigB)
    {
        (kexB, sigB) = ([], []);
        if (IsInitiator || _ownKex is not null || !FastMeshKex.TryRead(message, initiator: true, out FastMeshKex? peer)
            || ChooseSuite(_offer.Suites, _offer.Flags, peer) is null || !_ephemeral.TryAgree(peer.Ephemeral, Secret))
            return false;

        byte[] ciphertext = [];
        if (peer.Flags.HasFlag(FastMeshFlags.MlKem) && _offer.Flags.HasFlag(FastMeshFlags.MlKem))
        {
            ciphertext = new byte[MlKemAgreement.CiphertextLength];
            if (!MlKemAgreement.TryEncapsulate(peer.MlKem, ciphertext, MlKemSecret))
                return false;
        }

        _peerKex = peer;
        _ownKex = FastMeshKex.Compose(_offer, _own.Public, _ephemeral.Public, ciphertext, random);
        (kexB, sigB) = (_ownKex.Bytes, Sign());
        return true;
    }

    /// <summary>The initiator takes <see cref="FastMeshMessage.KexB"/>; a later one replaces it.</summary>
    public bool TryTakeKexB(ReadOnlySpan<byte> message)
    {
        if (!IsInitiator || Agreement is not null || !FastMeshKex.TryRead(message, initiator: false, out FastMeshKex? peer)
            || (peer.Flags.HasFlag(FastMeshFlags.MlKem) && _mlKem is null))
            return false;
        _peerKex = peer;
        return true;
    }

    /// <summary>The initiator takes <see cref="FastMeshMessage.SigB"/> and answers with SigA; there is an agreement now.</summary>
    public bool TryTakeSigB(ReadOnlySpan<byte> message, out byte[] sigA)
    {
        sigA = [];
        if (!IsInitiator || Agreement is not null || _peerKex is null || !Verifies(message) || !_ephemeral.TryAgree(_peerKex.Ephemeral, Secret)
            || (_peerKex.Flags.HasFlag(FastMeshFlags.MlKem) && !_mlKem!.TryDecapsulate(_peerKex.MlKem, MlKemSecret))
            || !TryAgree(_peerKex))
            return false;
        sigA = Sign();
        return true;
    }

    /// <summary>The responder takes <see cref="FastMeshMessage.SigA"/> and answers with Ack; there is an agreement now.</summary>
    public bool TryTakeSigA(ReadOnlySpan<byte> message, out byte[] ack)
    {
        ack = [];
        if (IsInitiator || Agreement is not null || _peerKex is null || !Verifies(message) || !TryAgree(_peerKex))
            return false;
        ack = _confirmation;
        return IsConfirmed = true;
    }

    /// <summary>The initiator takes <see cref="FastMeshMessage.Ack"/>.</summary>
    public bool TryTakeAck(ReadOnlySpan<byte> message)
    {
        if (!IsInitiator || Agreement is null || !CryptographicOperations.FixedTimeEquals(message, _confirmation))
            return false;
        return IsConfirmed = true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _ephemeral.Dispose();
        _mlKem?.Dispose();
        CryptographicOperations.ZeroMemory(_secret);
    }

    /// <summary>AES-256-GCM if both have it and both have it fast; else ChaCha20-Poly1305; null if there is none in common.</summary>
    private static DataSuite? ChooseSuite(FastMeshSuites suites, FastMeshFlags flags, FastMeshKex peer)
    {
        FastMeshSuites common = suites & peer.Suites;
        if (common.HasFlag(FastMeshSuites.Aes256Gcm) && (flags & peer.Flags).HasFlag(FastMeshFlags.AesIsFast))
            return DataSuite.Aes256Gcm;
        return common.HasFlag(FastMeshSuites.ChaCha20Poly1305) ? DataSuite.ChaCha20Poly1305 : null;
    }

    private byte[] Sign()
    {
        byte[] signature = new byte[Ed25519Identity.SignatureLength];
        _own.Sign(SignedBy(IsInitiator, _ownKex!, _peerKex!), signature);
        return signature;
    }

    private bool Verifies(ReadOnlySpan<byte> signature) =>
        signature.Length == Ed25519Identity.SignatureLength && _peerKex!.Identity.Verify(SignedBy(!IsInitiator, _peerKex, _ownKex!), signature);

    private byte[] SignedBy(bool isInitiator, FastMeshKex own, FastMeshKex other) => [(byte)(isInitiator ? 1 : 0), .. own.Bytes, .. other.Bytes, .. _label];

    /// <summary>The keys: initiator to responder is the second, as in SPTPS (tinc 1.1 reference, 3.4).</summary>
    private bool TryAgree(FastMeshKex peer)
    {
        if (ChooseSuite(_offer.Suites, _offer.Flags, peer) is not { } suite || !_believes(peer.Identity, peer.Certificate))
            return false;

        FastMeshKex initiator = IsInitiator ? _ownKex! : peer, responder = IsInitiator ? peer : _ownKex!;
        bool isHybrid = responder.Flags.HasFlag(FastMeshFlags.MlKem);
        byte[] seed = [.. "key expansion"u8, .. initiator.Nonce, .. responder.Nonce, .. _label];
        byte[] keys = new byte[(2 * DatagramKey.Length) + ConfirmationLength];
        KeyDerivation.Derive(isHybrid ? _secret : Secret, seed, keys);
        CryptographicOperations.ZeroMemory(_secret);
        byte[] first = keys[..DatagramKey.Length], second = keys[DatagramKey.Length..(2 * DatagramKey.Length)];
        _confirmation = keys[(2 * DatagramKey.Length)..];
        CryptographicOperations.ZeroMemory(keys);
        Agreement = new FastMeshAgreement(
            suite, isHybrid, peer.Flags.HasFlag(FastMeshFlags.PartialChecksums), peer.Flags.HasFlag(FastMeshFlags.SpeedTest),
            _ownKex!.Lanes > 0 && peer.Lanes > 0 ? (_ownKex.Lanes, peer.Lanes) : (1, 1), peer.Compression,
            IsInitiator ? second : first, IsInitiator ? first : second);
        return true;
    }
}
