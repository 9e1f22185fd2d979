using System.Buffers.Binary;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// Finds out, for one node, whether trains arrive: datagrams that are given to the kernel together, and cut by it, by the network card or by a tunnel on
/// the way, some of which lose or spoil them. The result is <see cref="Node.TakesTrains"/>.
/// <para>While there is traffic, now and then a probe goes out alone and three together. Trains count as lost once, three times in a row, the single
/// probe is answered and fewer than two of the three are; lost packets alone hardly ever look like that. They are tried again after a while.</para>
/// </summary>
internal sealed class TrainProbe(Node node)
{
    /// <summary>Probes in a train.</summary>
    public const int Datagrams = 3;

    private const int LeastAnswers = 2, RoundsToGiveUp = 3, IdOffset = 14;
    private uint _single, _train;
    private int _answers, _lostRounds;
    private bool _isOpen, _singleAnswered;

    /// <summary>Whether a round waits for its answers.</summary>
    public bool IsOpen => _isOpen;

    /// <summary>Whether trains got lost in the last round, but not often enough to be given up.</summary>
    public bool IsInDoubt => _lostRounds > 0 && node.TakesTrains;

    /// <summary>Nothing is known any more: trains are tried.</summary>
    public void Reset() => (_isOpen, _lostRounds, node.TakesTrains) = (false, 0, true);

    /// <summary>Begins a round.</summary>
    /// <param name="random">For the ids of the probes.</param>
    /// <param name="single">The probe that goes out alone: shorter by a byte than the others, so that it never is one of a train.</param>
    /// <param name="train">The probe that goes out <see cref="Datagrams"/> times, together.</param>
    /// <returns>Whether so long a path is proven that there can be trains.</returns>
    public bool TryBegin(IRandomSource random, out byte[] single, out byte[] train)
    {
        (single, train) = ([], []);
        if (node.MinMtu <= PathMtu.Least)
            return false;
        (single, train) = (new byte[node.MinMtu - 1], new byte[node.MinMtu]);
        random.Fill(single.AsSpan(IdOffset));
        random.Fill(train.AsSpan(IdOffset));
        (_single, _train) = (IdOf(single), IdOf(train));
        (_isOpen, _singleAnswered, _answers) = (true, false, 0);
        return true;
    }

    /// <summary>Takes a reply; false if it answers no probe of this round.</summary>
    public bool HandleReply(ReadOnlySpan<byte> reply)
    {
        if (!_isOpen || reply.Length < IdOffset + sizeof(uint))
            return false;
        uint id = IdOf(reply);
        _singleAnswered |= id == _single;
        _answers += id == _train ? 1 : 0;
        return id == _single || id == _train;
    }

    /// <summary>Ends a round when its answers should be there. Returns when the next one is due.</summary>
    public TimeSpan End()
    {
        _isOpen = false;
        if (_answers >= LeastAnswers)
            (_lostRounds, node.TakesTrains) = (0, true);
        else if (_singleAnswered && ++_lostRounds >= RoundsToGiveUp)
            node.TakesTrains = false;
        return !node.TakesTrains ? ProtocolLimits.TrainRetryInterval : _lostRounds > 0 ? TimeSpan.Zero : ProtocolLimits.TrainCheckInterval;
    }

    private static uint IdOf(ReadOnlySpan<byte> frame) => BinaryPrimitives.ReadUInt32LittleEndian(frame[IdOffset..]);
}
