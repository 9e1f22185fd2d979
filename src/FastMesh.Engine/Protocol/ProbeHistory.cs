using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>When probes to one node were sent by UDP and answered, for people who ask why.</summary>
internal sealed class ProbeHistory
{
    /// <summary>When the last one was sent, or null.</summary>
    public Instant? Sent { get; private set; }

    /// <summary>When the last answer came, or null.</summary>
    public Instant? Answered { get; private set; }

    /// <summary>When the first one since that answer was sent, or null.</summary>
    public Instant? UnansweredSince { get; private set; }

    /// <summary>How many were sent since that answer.</summary>
    public int Unanswered { get; private set; }

    /// <summary>A probe is sent.</summary>
    public void NoteSent(Instant now) => (Sent, UnansweredSince, Unanswered) = (now, UnansweredSince ?? now, Unanswered + 1);

    /// <summary>An answer came.</summary>
    public void NoteAnswer(Instant now) => (Answered, UnansweredSince, Unanswered) = (now, null, 0);

    /// <summary>The node went, or came back.</summary>
    public void Reset() => (Sent, Answered, UnansweredSince, Unanswered) = (null, null, null, 0);
}
