namespace FastMesh.Engine.Protocol;

/// <summary>How a handshake ended.</summary>
internal enum HandshakeResult
{
    /// <summary>A meta connection became active.</summary>
    MetaActivated,

    /// <summary>A peer on a meta connection broke the rules or did not prove who it is.</summary>
    MetaRefused,

    /// <summary>The peer ended a meta connection in the middle of the handshake, or took too long.</summary>
    MetaAborted,

    /// <summary>A connection to a peer or its proxy did not come about.</summary>
    MetaUnreachable,

    /// <summary>There are keys for packets to a node that had none.</summary>
    SessionEstablished,

    /// <summary>A message for a session did not fit or was not authentic.</summary>
    SessionRefused,
}

/// <summary>Counts handshakes by their results. Belongs to the mesh.</summary>
internal sealed class HandshakeCounts
{
    private readonly long[] _counts = new long[Enum.GetValues<HandshakeResult>().Length];

    /// <summary>How many ended so.</summary>
    public long this[HandshakeResult result] => _counts[(int)result];

    /// <summary>One more ended so.</summary>
    public void Add(HandshakeResult result) => _counts[(int)result]++;
}
