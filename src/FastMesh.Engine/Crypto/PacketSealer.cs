using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Crypto;

/// <summary>
/// Seals frames to one node under one key. Used by one shard, its owner; a new key means a new sealer. Native state is freed when nothing refers to it any
/// more, since published tables may outlive it.
/// </summary>
public abstract class PacketSealer
{
    /// <summary>Bytes in front of each frame that a sealer may overwrite.</summary>
    public const int Room = 4;

    /// <summary>A sealer of a format, used by a shard.</summary>
    protected PacketSealer(SessionFormat format, int owner) => (Format, Owner) = (format, owner);

    /// <summary>How its datagrams look.</summary>
    public SessionFormat Format { get; }

    /// <summary>Index of the shard that uses this sealer.</summary>
    public int Owner { get; }

    /// <summary>The sealers of all lanes; empty if this is the only one.</summary>
    private protected PacketSealer[] ByShard { get; set; } = [];

    /// <summary>The sealer that packets of a shard go by: that of its own lane; if it has none, or the session has no lanes, that of another shard.</summary>
    public PacketSealer Of(int shard) => ByShard.Length == 0 ? this : shard < ByShard.Length ? ByShard[shard] : ByShard[shard % ByShard.Length];

    /// <summary>Whether the receiver takes packets whose transport checksum covers only the pseudo header.</summary>
    public virtual bool TakesPartialChecksums => false;

    /// <summary>
    /// Bytes that sealing makes of a frame (with its Ethernet header); with compression, the most it can make. Where the Ethernet header does not travel,
    /// a probe, which does so whole, gets <see cref="EthernetFrame.HeaderLength"/> more.
    /// </summary>
    public abstract int SealedLength(int frameLength);

    /// <summary>Numbers, encrypts and authenticates frames in order.</summary>
    /// <param name="headers">For each packet its own header: <see cref="Room"/> bytes, overwritten, followed by the first bytes of the frame
    /// (at least the whole Ethernet header), which may be overwritten too.</param>
    /// <param name="payloads">The rest of each frame, in ascending order. What lies in front of a payload may be overwritten by its header once the payloads
    /// before it are sealed.</param>
    /// <param name="output">Room for <see cref="SealedLength"/> bytes (a probe: more) at each <see cref="TrainPacket.Output"/>; overlaps neither.</param>
    /// <param name="packets">Where everything is; <see cref="TrainPacket.OutputLength"/> is filled in, and <see cref="TrainPacket.Output"/> may be moved to
    /// where the packet before ends, so that they make a train whatever their lengths came to.</param>
    /// <param name="direct">Whether the datagrams go straight to the session's node: their destination id is then zero.</param>
    /// <returns>How many packets, from the first, were sealed. The others must be dropped.</returns>
    internal abstract int SealTrain(
        Span<byte> headers, Span<byte> payloads, Span<byte> output, Span<TrainPacket> packets, bool direct);

    /// <summary>Seals one frame: <see cref="SealTrain"/> of a single packet.</summary>
    /// <param name="packet"><see cref="Room"/> bytes, overwritten, followed by the frame.</param>
    /// <param name="output">Room for <see cref="SealedLength"/> bytes, not overlapping the packet.</param>
    /// <param name="direct">As for a train.</param>
    /// <returns>Bytes written, or 0.</returns>
    public int Seal(Span<byte> packet, Span<byte> output, bool direct)
    {
        int header = Math.Min(packet.Length, CbcTrain.MaxHeaderLength);
        Span<TrainPacket> one = [new TrainPacket { HeaderLength = header, Payload = header, PayloadLength = packet.Length - header }];
        return SealTrain(packet, packet, output, one, direct) == 1 ? one[0].OutputLength : 0;
    }
}

/// <summary>Opens datagrams of one node. Used by one shard, its owner.</summary>
public abstract class PacketOpener
{
    /// <summary>Where a frame begins in the output at the earliest.</summary>
    public const int FrameOffset = PacketSealer.Room;

    /// <summary>The most datagrams that are verified together.</summary>
    internal const int MaxTogether = 64;

    /// <summary>An opener of a format, used by a shard.</summary>
    protected PacketOpener(SessionFormat format, int owner) => (Format, Owner) = (format, owner);

    /// <summary>How its datagrams look.</summary>
    public SessionFormat Format { get; }

    /// <summary>Index of the shard that uses this opener.</summary>
    public int Owner { get; }

    /// <summary>Anything shorter is malformed, bytes (node ids included).</summary>
    internal abstract int MinDatagram { get; }

    /// <summary>The opener of a datagram, node ids included, by its lane. Of lanes that are not there it is this one, which refuses them.</summary>
    public virtual PacketOpener Of(ReadOnlySpan<byte> datagram) => this;

    /// <summary>Room that <see cref="OpenVerified"/> needs for a datagram of that length.</summary>
    public abstract int OutputLength(int datagramLength);

    /// <summary>The first half of opening for datagrams that came together, if their format has such a half; else all bits are set.</summary>
    /// <param name="memory">Where they lie.</param>
    /// <param name="datagrams">Offset and length of each, the length at least <see cref="MinDatagram"/>; at most 64.</param>
    /// <returns>Bit 0 tells whether the first one's MAC is right, bit 1 the second one's, and so on.</returns>
    internal abstract ulong Verify(ReadOnlySpan<byte> memory, ReadOnlySpan<(int Offset, int Length)> datagrams);

    /// <summary>Opens one datagram: both halves.</summary>
    /// <param name="datagram">As received, node ids included.</param>
    /// <param name="output">Room for <see cref="OutputLength"/> bytes, not overlapping the datagram.</param>
    /// <param name="frameOffset">Where the frame begins in <paramref name="output"/>.</param>
    /// <param name="frameLength">Bytes of the frame, at least 14 if it was opened.</param>
    public OpenResult Open(ReadOnlySpan<byte> datagram, Span<byte> output, out int frameOffset, out int frameLength)
    {
        bool genuine = datagram.Length >= MinDatagram && (Verify(datagram, [(0, datagram.Length)]) & 1) != 0;
        return OpenVerified(datagram, genuine, output, out frameOffset, out frameLength);
    }

    /// <summary>What is left to do for one datagram: verify unless done, decrypt, check for replay, expand, rebuild the Ethernet header.</summary>
    /// <param name="datagram">As received, node ids included.</param>
    /// <param name="genuine">Its bit of <see cref="Verify"/>.</param>
    /// <param name="output">Room for <see cref="OutputLength"/> bytes; at least <see cref="PacketSealer.Room"/> bytes lie in front of the frame.</param>
    /// <param name="frameOffset">Where the frame begins in <paramref name="output"/>.</param>
    /// <param name="frameLength">Bytes of the frame, at least 14 if it was opened. A probe has ethertype 0.</param>
    internal abstract OpenResult OpenVerified(
        ReadOnlySpan<byte> datagram, bool genuine, Span<byte> output, out int frameOffset, out int frameLength);
}
