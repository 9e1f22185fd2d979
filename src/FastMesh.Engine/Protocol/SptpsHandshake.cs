using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using FastMesh.Engine.Crypto;

namespace FastMesh.Engine.Protocol;

/// <summary>What a step of a handshake asks of the record layer, in this order.</summary>
internal enum SptpsStepKind
{
    /// <summary>Send <c>Data</c> as a handshake record (type 128) under the output key of this moment, or in plaintext if there is none yet.</summary>
    Send,

    /// <summary><c>Data</c> is the key, 64 bytes, of all records sent from now on.</summary>
    SwitchOutput,

    /// <summary><c>Data</c> is the key that the peer will use soon: what fails under the present one is to be tried under it.</summary>
    ExpectInput,

    /// <summary><c>Data</c> is the key, 64 bytes, of all records received from now on.</summary>
    SwitchInput,

    /// <summary>The handshake, the first one or a re-key, is complete.</summary>
    Complete,
}

/// <summary>One step.</summary>
/// <param name="Kind">What to do.</param>
/// <param name="Data">A record's content or a key.</param>
internal readonly record struct SptpsStep(SptpsStepKind Kind, byte[] Data);

/// <summary>
/// The KEX, SIG, ACK exchange of one SPTPS session, first and later ones (tinc 1.1 reference, 3.3 to 3.5). Shared by stream and datagram use; knows neither
/// records nor sequence numbers. A false from <see cref="Handle"/> means that the peer broke the rules; the session is then of no use any more.
/// <code>
/// Idle -> Kex -> Sig -> Ready             the first handshake
/// Ready -> Kex -> Sig -> Ack -> Ready     a re-key, by either side
/// </code>
/// The states from <c>Kex</c> to <c>Ack</c> are named after the one message that is accepted next; in <c>Ready</c> that is the peer's KEX.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "The ephemeral key goes with the end of each exchange; one that is given up leaves a key that is of no use.")]
internal sealed class SptpsHandshake
{
    /// <summary>Record type of handshake messages.</summary>
    public const byte RecordType = 128;

    /// <summary>Bytes of a KEX: version, nonce, ephemeral public key.</summary>
    public const int KexLength = 1 + NonceLength + EphemeralKey.Length;

    private const byte Version = 0;
    private const int NonceLength = 32;

    private readonly Ed25519Identity _own;
    private readonly Ed25519PublicKey _peer;
    private readonly byte[] _label;
    private readonly IRandomSource _random;

    private State _state;
    private EphemeralKey? _ephemeral;
    private byte[] _ownKex = [], _peerKex = [], _nextInput = [];

    /// <summary>Prepares one side; nothing is sent before <see cref="Start"/>.</summary>
    /// <param name="own">This node's identity.</param>
    /// <param name="peer">The peer's public key.</param>
    /// <param name="initiator">The role, fixed for the life of the session.</param>
    /// <param name="label">The label, with its NUL if it has one (chapter 4).</param>
    /// <param name="random">For nonces and ephemeral keys.</param>
    public SptpsHandshake(Ed25519Identity own, Ed25519PublicKey peer, bool initiator, byte[] label, IRandomSource random) =>
        (_own, _peer, Initiator, _label, _random) = (own, peer, initiator, label, random);

    private enum State
    {
        Idle,
        Kex,
        Sig,
        Ack,
        Ready,
        Broken,
    }

    /// <summary>Whether this node is the initiator.</summary>
    public bool Initiator { get; }

    /// <summary>Whether the first handshake is complete: application records may be sent.</summary>
    public bool IsReady { get; private set; }

    /// <summary>Whether a re-key may be started.</summary>
    public bool CanRekey => _state == State.Ready;

    /// <summary>The label of a meta connection or node session (chapter 4).</summary>
    /// <param name="use"><c>TCP</c> or <c>UDP</c>.</param>
    /// <param name="initiator">Name of the initiator.</param>
    /// <param name="responder">Name of the responder.</param>
    public static byte[] Label(string use, string initiator, string responder) =>
        Encoding.ASCII.GetBytes($"tinc {use} key expansion {initiator} {responder}\0");

    /// <summary>Begins the first handshake or, once <see cref="CanRekey"/>, a re-key: the first step sends KEX.</summary>
    public void Start(List<SptpsStep> steps)
    {
        Debug.Assert(_state is State.Idle or State.Ready, "A handshake is under way.");
        _ephemeral = new EphemeralKey(_random);
        _ownKex = new byte[KexLength];
        _ownKex[0] = Version;
        _random.Fill(_ownKex.AsSpan(1, NonceLength));
        _ephemeral.Public.CopyTo(_ownKex.AsSpan(1 + NonceLength));
        _state = State.Kex;
        steps.Add(new(SptpsStepKind.Send, _ownKex));
    }

    /// <summary>Takes the content of a handshake record and appends what follows from it.</summary>
    public bool Handle(ReadOnlySpan<byte> content, List<SptpsStep> steps)
    {
        bool ok = _state switch
        {
            State.Kex or State.Ready => HandleKex(content, steps),
            State.Sig => HandleSig(content, steps),
            State.Ack => HandleAck(content, steps),
            _ => false,
        };
        if (!ok)
            Break();
        return ok;
    }

    private bool HandleKex(ReadOnlySpan<byte> kex, List<SptpsStep> steps)
    {
        if (kex.Length != KexLength || kex[0] != Version)
            return false;
        if (_state == State.Ready)
            Start(steps);
        _peerKex = kex.ToArray();
        _state = State.Sig;
        if (Initiator)
            steps.Add(new(SptpsStepKind.Send, Sign()));
        return true;
    }

    private bool HandleSig(ReadOnlySpan<byte> signature, List<SptpsStep> steps)
    {
        if (signature.Length != Ed25519Identity.SignatureLength || !_peer.Verify(SignedBy(!Initiator, _peerKex, _ownKex), signature)
            || !TryDerive(out byte[] output, out byte[] input))
            return false;

        if (!Initiator)
            steps.Add(new(SptpsStepKind.Send, Sign()));
        ForgetExchange();
        if (IsReady)
        {
            steps.Add(new(SptpsStepKind.Send, []));
            steps.Add(new(SptpsStepKind.SwitchOutput, output));
            steps.Add(new(SptpsStepKind.ExpectInput, input));
            (_nextInput, _state) = (input, State.Ack);
            return true;
        }

        steps.Add(new(SptpsStepKind.SwitchOutput, output));
        steps.Add(new(SptpsStepKind.SwitchInput, input));
        Complete(steps);
        return true;
    }

    private bool HandleAck(ReadOnlySpan<byte> content, List<SptpsStep> steps)
    {
        if (!content.IsEmpty)
            return false;
        steps.Add(new(SptpsStepKind.SwitchInput, _nextInput));
        _nextInput = [];
        Complete(steps);
        return true;
    }

    private void Complete(List<SptpsStep> steps)
    {
        (_state, IsReady) = (State.Ready, true);
        steps.Add(new(SptpsStepKind.Complete, []));
    }

    private byte[] Sign()
    {
        byte[] signature = new byte[Ed25519Identity.SignatureLength];
        _own.Sign(SignedBy(Initiator, _ownKex, _peerKex), signature);
        return signature;
    }

    /// <summary>What a side signs: its role, its own KEX, the other one's, the label (3.3).</summary>
    private byte[] SignedBy(bool initiator, byte[] own, byte[] other) => [(byte)(initiator ? 1 : 0), .. own, .. other, .. _label];

    /// <summary>Initiator to responder is the second half of what the PRF gives, the other direction the first (3.4).</summary>
    private bool TryDerive(out byte[] output, out byte[] input)
    {
        (output, input) = (new byte[DatagramKey.Length], new byte[DatagramKey.Length]);
        Span<byte> shared = stackalloc byte[EphemeralKey.Length], keys = stackalloc byte[2 * DatagramKey.Length];
        if (!_ephemeral!.TryAgree(_peerKex.AsSpan(1 + NonceLength), shared))
            return false;

        (byte[] first, byte[] second) = Initiator ? (_ownKex, _peerKex) : (_peerKex, _ownKex);
        byte[] seed = [.. "key expansion"u8, .. first.AsSpan(1, NonceLength), .. second.AsSpan(1, NonceLength), .. _label];
        KeyDerivation.Derive(shared, seed, keys);
        keys[DatagramKey.Length..].CopyTo(Initiator ? output : input);
        keys[..DatagramKey.Length].CopyTo(Initiator ? input : output);
        CryptographicOperations.ZeroMemory(shared);
        CryptographicOperations.ZeroMemory(keys);
        return true;
    }

    private void ForgetExchange()
    {
        _ephemeral?.Dispose();
        (_ephemeral, _ownKex, _peerKex) = (null, [], []);
    }

    private void Break()
    {
        ForgetExchange();
        _state = State.Broken;
    }
}
