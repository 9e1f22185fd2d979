using System.Collections.ObjectModel;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;

namespace FastMesh.Engine.Daemon.Status;

/// <summary>A node as this daemon knows it.</summary>
public sealed record NodeStatus
{
    /// <summary>Its name.</summary>
    public required string Name { get; init; }

    /// <summary>What stands for it in relayed datagrams, 12 hex digits.</summary>
    public required string Id { get; init; }

    /// <summary>Whether it is the daemon's own node.</summary>
    public required bool IsSelf { get; init; }

    /// <summary>Whether a path of connections leads there.</summary>
    public required bool Reachable { get; init; }

    /// <summary>When it became reachable or unreachable, or null if it never was reachable.</summary>
    public DateTime? Since { get; init; }

    /// <summary>How data travels to and from it; of the own node, the best that it speaks.</summary>
    public required NodeProtocol Protocol { get; init; }

    /// <summary>Its version of the meta protocol as its options tell it: 17.0 or higher.</summary>
    public required string MetaProtocol { get; init; }

    /// <summary>What protects packets to it, or null while there is no key, or if its connection does.</summary>
    public SessionStatus? Session { get; init; }

    /// <summary>How packets to it travel, and why.</summary>
    public required PathStatus Path { get; init; }

    /// <summary>Where it takes datagrams, or null if nobody has told.</summary>
    public AddressStatus? UdpAddress { get; init; }

    /// <summary>What is known of the length of packets on the way to it.</summary>
    public required MtuStatus Mtu { get; init; }

    /// <summary>Time from the last answered UDP probe to its reply, or null if none was answered.</summary>
    public long? UdpRttMicroseconds { get; init; }

    /// <summary>All such times since the start, or null if there was none.</summary>
    public RoundTripStatus? RoundTrips { get; init; }

    /// <summary>The neighbour on the path to it by TCP, or null.</summary>
    public string? NextHop { get; init; }

    /// <summary>The last node on the path that may be addressed by UDP, or null; the own node: the next hop.</summary>
    public string? Via { get; init; }

    /// <summary>Connections on the path to it; 0 for the own node, -1 while there is none.</summary>
    public required int Distance { get; init; }

    /// <summary>Sum of the weights of these, or null while there is none.</summary>
    public long? PathWeight { get; init; }

    /// <summary>Its option bits.</summary>
    public required uint Options { get; init; }

    /// <summary>tinc 1.1's status bits.</summary>
    public required uint StatusBits { get; init; }

    /// <summary>Whether a meta connection to it is active.</summary>
    public required bool HasConnection { get; init; }

    /// <summary>Whether datagrams that are given to the kernel together arrive there.</summary>
    public required bool TakesTrains { get; init; }

    /// <summary>Why it gets datagrams one by one although they arrive together, or null.</summary>
    public RefusalStatus? TrainsRefused { get; init; }

    /// <summary>Probes by UDP, or null if it never was reachable.</summary>
    public ProbeStatus? Probes { get; init; }

    /// <summary>The node next to it that told of it when it was last reachable, or null.</summary>
    public string? SeenBy { get; init; }

    /// <summary>What was exchanged with it; of the own node, through the device.</summary>
    public required TrafficStatus Traffic { get; init; }

    /// <summary>Packets from and for it that were dropped here, by reason as far as there were any. Not all drops can be told whose they are.</summary>
    public IReadOnlyDictionary<string, long> DroppedPackets { get; init; } = ReadOnlyDictionary<string, long>.Empty;
}

/// <summary>What protects packets to a node.</summary>
/// <param name="Suite">Ciphers and key agreement in words.</param>
/// <param name="Since">When the key in use was agreed on.</param>
/// <param name="PacketsSinceKey">Packets sealed under it.</param>
/// <param name="EndToEnd">Whether only the node itself can open them; otherwise each node on the way does.</param>
public sealed record SessionStatus(string Suite, DateTime? Since, long PacketsSinceKey, bool EndToEnd)
{
    /// <summary>The same in numbers.</summary>
    public StrengthStatus? Strength { get; init; }
}

/// <summary>How packets to a node travel.</summary>
/// <param name="Kind">The kind of path.</param>
/// <param name="By">The node that passes them on, or null if none does.</param>
/// <param name="Reason">Why they do not go straight to the node by UDP.</param>
/// <param name="PacketBytes">
/// The longest IP packet that goes by UDP in one piece, as far as is proven (in switch mode without its Ethernet header); null if none does.
/// </param>
public sealed record PathStatus(PathKind Kind, string? By, PathReason Reason, int? PacketBytes);

/// <summary>How a path MTU is known.</summary>
public enum MtuState
{
    /// <summary>Nothing is proven.</summary>
    Unknown,

    /// <summary>Something is proven, and longer packets are being tried.</summary>
    Discovering,

    /// <summary>It is proven that this length arrives, and found that no longer one does, or there is none.</summary>
    Confirmed,
}

/// <summary>What is known of the length of packets on the way to a node: frames with their Ethernet header of 14 bytes.</summary>
/// <param name="Bytes">What routing lets through.</param>
/// <param name="MinBytes">The longest proven to arrive by UDP; 0: none.</param>
/// <param name="MaxBytes">The longest that may arrive.</param>
/// <param name="State">How it is known.</param>
public sealed record MtuStatus(int Bytes, int MinBytes, int MaxBytes, MtuState State);

/// <summary>Frames with their Ethernet header, before sealing.</summary>
/// <param name="PacketsIn">Frames that came from the node.</param>
/// <param name="BytesIn">Their bytes.</param>
/// <param name="PacketsOut">Frames that were for the node.</param>
/// <param name="BytesOut">Their bytes.</param>
/// <param name="BitsPerSecondIn">Of the last seconds, five to ten.</param>
/// <param name="BitsPerSecondOut">Of the last seconds, five to ten.</param>
/// <param name="PacketsPerSecondIn">Of the last seconds, five to ten.</param>
/// <param name="PacketsPerSecondOut">Of the last seconds, five to ten.</param>
public sealed record TrafficStatus(
    long PacketsIn, long BytesIn, long PacketsOut, long BytesOut, long BitsPerSecondIn, long BitsPerSecondOut, long PacketsPerSecondIn, long PacketsPerSecondOut);

/// <summary>Round-trip times of UDP probes.</summary>
/// <param name="Counts">How many took up to 125 microseconds, twice that ... 2.048 seconds, and longer; not added up.</param>
/// <param name="SumSeconds">The sum of all.</param>
public sealed record RoundTripStatus(IReadOnlyList<long> Counts, double SumSeconds);
