using System.Buffers.Binary;

namespace FastMesh.Engine.Crypto;

public sealed partial class LegacySealer
{
    /// <summary>The longest packet of a train, sequence number included, that is sealed where header and payload must be put together first.</summary>
    internal const int MaxGatheredPacket = 4096;

    private const int MaxMessages = 64; // more than a train has

    private readonly CbcTrain? _train;
    private readonly byte[] _gathered = [];

    /// <summary>
    /// Numbers, encrypts and authenticates packets in order: what <see cref="Seal"/> makes of each, in half the time with AES-CBC.
    /// Other ciphers and compressed frames are sealed one by one.
    /// </summary>
    /// <param name="headers">
    /// For each packet its own header: <see cref="SequenceLength"/> bytes of room, overwritten, followed by the first bytes of the frame.
    /// </param>
    /// <param name="payloads">The rest of each frame.</param>
    /// <param name="output">
    /// Room for <see cref="SealedLength"/> bytes at each <see cref="TrainPacket.Output"/>; overlaps neither headers nor payloads.
    /// </param>
    /// <param name="packets">Where everything is; <see cref="TrainPacket.OutputLength"/> is filled in.</param>
    /// <param name="direct">Of no meaning here.</param>
    /// <returns>How many packets, from the first, were sealed. The others have no number and must be dropped.</returns>
    /// <exception cref="ArgumentException">A packet is not inside the memory given or its header has no room for the number.</exception>
    internal override int SealTrain(
        Span<byte> headers, Span<byte> payloads, Span<byte> output, Span<TrainPacket> packets, bool direct)
    {
        if (!_usable || _nextSequence == 0)
            return 0;
        if (_train is null)
            return SealSingly(headers, payloads, output, packets);

        uint numbersLeft = unchecked(0 - _nextSequence);
        if (numbersLeft < (uint)packets.Length)
            packets = packets[..(int)numbersLeft];
        uint sequence = _nextSequence;
        foreach (ref TrainPacket packet in packets)
            BinaryPrimitives.WriteUInt32BigEndian(headers.Slice(packet.Header, packet.HeaderLength), unchecked(sequence++));
        _train.Encrypt(headers, payloads, output, packets);
        Volatile.Write(ref _nextSequence, sequence); // before anything of the train can leave
        return Authenticate(output, packets);
    }

    private int Authenticate(Span<byte> output, Span<TrainPacket> packets)
    {
        Span<(int Offset, int Length)> messages = stackalloc (int, int)[MaxMessages];
        for (int first = 0; first < packets.Length; first += MaxMessages)
        {
            Span<TrainPacket> some = packets[first..Math.Min(packets.Length, first + MaxMessages)];
            for (int i = 0; i < some.Length; i++)
            {
                messages[i] = (some[i].Output, CbcTrain.EncryptedLength(some[i].Length));
                some[i].OutputLength = messages[i].Length + _macLength;
            }

            if (_hmac is not null && !_hmac.ComputeTrain(output, messages[..some.Length], _macLength))
                return first;
        }

        return packets.Length;
    }

    private int SealSingly(ReadOnlySpan<byte> headers, ReadOnlySpan<byte> payloads, Span<byte> output, Span<TrainPacket> packets)
    {
        for (int i = 0; i < packets.Length; i++)
        {
            ref TrainPacket packet = ref packets[i];
            ArgumentOutOfRangeException.ThrowIfLessThan(packet.HeaderLength, SequenceLength);
            if (packet.Length > MaxGatheredPacket)
                return i;
            Span<byte> gathered = _gathered.AsSpan(0, packet.Length);
            headers.Slice(packet.Header, packet.HeaderLength).CopyTo(gathered);
            payloads.Slice(packet.Payload, packet.PayloadLength).CopyTo(gathered[packet.HeaderLength..]);
            packet.OutputLength = Seal(gathered, output[packet.Output..]);
            if (packet.OutputLength == 0)
                return i;
        }

        return packets.Length;
    }
}
