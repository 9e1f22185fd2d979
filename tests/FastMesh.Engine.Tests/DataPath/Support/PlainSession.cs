using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>
/// One direction of a session whose datagrams have the layout of tinc 1.1 reference, 6.1 and 6.2, but are not encrypted: the tag is a hash, so that a
/// test can read what was sent and forge what is received.
/// </summary>
internal sealed record PlainSession(SessionFormat Format, NodeId From, NodeId To, bool WithEthernet, int Key)
{
    public const int TagLength = 16, IdsLength = 12;

    public int SequenceLength => Format == SessionFormat.Sptps ? 4 : 8;

    public int Overhead => IdsLength + SequenceLength + 1 + TagLength;

    /// <summary>Gives two nodes of two networks a session with each other.</summary>
    public static void Pair(Node toB, Node toA, RoutingMode mode = RoutingMode.Router, int ownerA = 0, int ownerB = 0)
    {
        SessionFormat format = toB.Protocol == NodeProtocol.Sptps ? SessionFormat.Sptps : SessionFormat.FastMesh;
        NodeId a = NodeId.Of(toA.Name), b = NodeId.Of(toB.Name);
        PlainSession forth = new(format, a, b, mode != RoutingMode.Router, Random.Shared.Next()), back = new(format, b, a, mode != RoutingMode.Router, Random.Shared.Next());
        (toB.Sealer, toA.Opener) = (new PlainSealer(forth, ownerA), new PlainOpener(forth, ownerB));
        (toA.Sealer, toB.Opener) = (new PlainSealer(back, ownerB), new PlainOpener(back, ownerA));
    }

    /// <summary>The datagram of a frame, given as one array.</summary>
    public byte[] Seal(ulong sequence, byte[] frame, bool direct)
    {
        bool probe = frame[12] == 0 && frame[13] == 0;
        byte type = (byte)(probe ? 4 : WithEthernet ? 2 : 0);
        byte[] ids = new byte[IdsLength], number = new byte[8];
        if (!direct)
            To.Write(ids);
        From.Write(ids.AsSpan(NodeId.Length));
        BinaryPrimitives.WriteUInt64BigEndian(number, sequence);
        byte[] record = [.. number[^SequenceLength..], type, .. probe || WithEthernet ? frame : frame[14..]];
        return [.. ids, .. record, .. Tag(record)];
    }

    public byte[] Tag(ReadOnlySpan<byte> record) => SHA256.HashData([.. record, .. BitConverter.GetBytes(Key)])[..TagLength];
}

/// <summary>Seals as <see cref="PlainSession"/> says.</summary>
internal sealed class PlainSealer(PlainSession session, int owner) : PacketSealer(session.Format, owner)
{
    private ulong _next;

    public PlainSession Session => session;

    public override int SealedLength(int frameLength) => frameLength + session.Overhead - (session.WithEthernet ? 0 : EthernetFrame.HeaderLength);

    internal override int SealTrain(
        Span<byte> headers, Span<byte> payloads, Span<byte> output, Span<TrainPacket> packets, bool direct)
    {
        foreach (ref TrainPacket packet in packets)
        {
            ReadOnlySpan<byte> header = headers.Slice(packet.Header, packet.HeaderLength)[Room..], payload = payloads.Slice(packet.Payload, packet.PayloadLength);
            byte[] datagram = session.Seal(_next++, [.. header, .. payload], direct);
            datagram.CopyTo(output[packet.Output..]);
            packet.OutputLength = datagram.Length;
        }

        return packets.Length;
    }
}

/// <summary>Opens as <see cref="PlainSession"/> says; refuses what it has opened before.</summary>
internal sealed class PlainOpener(PlainSession session, int owner) : PacketOpener(session.Format, owner)
{
    private readonly HashSet<string> _seen = [];

    internal override int MinDatagram => session.Overhead;

    public override int OutputLength(int datagramLength) => datagramLength + 16;

    internal override ulong Verify(ReadOnlySpan<byte> memory, ReadOnlySpan<(int Offset, int Length)> datagrams) => ulong.MaxValue;

    internal override OpenResult OpenVerified(
        ReadOnlySpan<byte> datagram, bool genuine, Span<byte> output, out int frameOffset, out int frameLength)
    {
        (frameOffset, frameLength) = (FrameOffset, 0);
        ReadOnlySpan<byte> record = datagram[PlainSession.IdsLength..^PlainSession.TagLength];
        if (!datagram[^PlainSession.TagLength..].SequenceEqual(session.Tag(record)))
            return OpenResult.Forged;
        if (!_seen.Add(Encoding.Latin1.GetString(record[..session.SequenceLength])))
            return OpenResult.Replayed;
        byte type = record[session.SequenceLength];
        ReadOnlySpan<byte> data = record[(session.SequenceLength + 1)..];
        byte[] header = type != 0 ? [] : [.. new byte[12], .. data[0] >> 4 == 4 ? new byte[] { 8, 0 } : [0x86, 0xdd]];
        byte[] frame = [.. header, .. data];
        frame.CopyTo(output[FrameOffset..]);
        frameLength = frame.Length;
        return OpenResult.Opened;
    }
}
