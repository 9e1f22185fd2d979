namespace FastMesh.Engine.Daemon.Status;

/// <summary>How strong what protects packets to a node is.</summary>
/// <param name="Cipher">Its name, or <c>none</c>.</param>
/// <param name="KeyBits">Length of its key, bits; 0: none.</param>
/// <param name="MacBits">Length of what authenticates each packet, bits; 0: nothing does.</param>
/// <param name="PostQuantum">Whether the key agreement stands against a quantum computer.</param>
public sealed record StrengthStatus(string Cipher, int KeyBits, int MacBits, bool PostQuantum);

/// <summary>Probes by UDP to a node since it became reachable.</summary>
/// <param name="LastSent">When the last one was sent, or null.</param>
/// <param name="LastAnswered">When the last answer came, or null.</param>
/// <param name="UnansweredSince">When the first one after that answer was sent, or null.</param>
/// <param name="Unanswered">How many were sent since that answer.</param>
public sealed record ProbeStatus(DateTime? LastSent, DateTime? LastAnswered, DateTime? UnansweredSince, int Unanswered);

/// <summary>The kernel refuses to send a node several datagrams at once.</summary>
/// <param name="Time">When it last did; it is tried again after a minute.</param>
/// <param name="Error">Its reason.</param>
public sealed record RefusalStatus(DateTime Time, string Error);

/// <summary>A node that the configuration says to connect to.</summary>
/// <param name="Node">Its name.</param>
/// <param name="IsChosen">Whether AutoConnect has chosen it; else ConnectTo names it.</param>
/// <param name="IsConnected">Whether a connection to it is active, whoever made it.</param>
/// <param name="NextAttempt">When it is tried next, or null if it is connected or being tried.</param>
/// <param name="Failures">The last failure at each address.</param>
public sealed record DialStatus(string Node, bool IsChosen, bool IsConnected, DateTime? NextAttempt, IReadOnlyList<FailureStatus> Failures);

/// <summary>An attempt to connect that failed.</summary>
/// <param name="Address">Where, as <c>HOST port PORT</c>; empty if there was no address to try.</param>
/// <param name="Time">When.</param>
/// <param name="Error">Why.</param>
public sealed record FailureStatus(string Address, DateTime Time, string Error);
