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
/// </summary>
internal sealed class SptpsHandshake
{
    /// <summary>Prepares one side; nothing is sent before <see cref="Start"/>.</summary>
    /// <param name="own">This node's identity.</param>
    /// <param name="peer">The peer's public key.</param>
    /// <param name="initiator">The role, fixed for the life of the session.</param>
    /// <param name="label">The label, with its NUL if it has one (chapter 4).</param>
    /// <param name="random">For nonces and ephemeral keys.</param>
    public SptpsHandshake(Ed25519Identity own, Ed25519PublicKey peer, bool initiator, byte[] label, IRandomSource random) =>
        throw new NotImplementedException();

    /// <summary>Whether this node is the initiator.</summary>
    public bool Initiator => throw new NotImplementedException();

    /// <summary>Whether the first handshake is complete: application records may be sent.</summary>
    public bool IsReady => throw new NotImplementedException();

    /// <summary>Whether a re-key may be started.</summary>
    public bool CanRekey => throw new NotImplementedException();

    /// <summary>The label of a meta connection or node session (chapter 4).</summary>
    /// <param name="use"><c>TCP</c> or <c>UDP</c>.</param>
    /// <param name="initiator">Name of the initiator.</param>
    /// <param name="responder">Name of the responder.</param>
    public static byte[] Label(string use, string initiator, string responder) => throw new NotImplementedException();

    /// <summary>Begins the first handshake or, once <see cref="CanRekey"/>, a re-key: the first step sends KEX.</summary>
    public void Start(List<SptpsStep> steps) => throw new NotImplementedException();

    /// <summary>Takes the content of a handshake record and appends what follows from it.</summary>
    public bool Handle(ReadOnlySpan<byte> content, List<SptpsStep> steps) => throw new NotImplementedException();
}
