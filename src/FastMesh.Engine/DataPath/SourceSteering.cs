using FastMesh.Engine.Crypto;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// Makes the kernel deliver each datagram to the socket of the shard that opens it: the one that <see cref="ForwardingTable.OwnerShard"/> names for its
/// source, or <see cref="Lanes.OwnerShard"/> for its lane. This saves a hand-over per datagram; without it (before Linux 4.5) the kernel's flow hash
/// chooses, and all works as well.
/// </summary>
internal static class SourceSteering
{
    // Operations of classic BPF (linux/filter.h). A is the accumulator, X the index register.
    private const ushort LoadWord = 0x20, LoadLength = 0x80, AddX = 0x0c, Subtract = 0x14, Multiply = 0x24, ShiftRight = 0x74, Modulo = 0x94, CopyAToX = 0x07,
        JumpIfEqual = 0x15, JumpIfNotLess = 0x35, JumpIfAnyBit = 0x45, ReturnA = 0x16;

    private const uint IPHeader = 0xfff0_0000; // SKF_NET_OFF
    private const uint IPv4Source = 12, IPv6Source = 8, IPv6SourceEnd = 24;
    private const uint NumberAt = 2 * NodeId.Length, NumberBytes = sizeof(uint), LaneShift = 24;

    /// <summary>Attaches the program to a group of sockets that share an address, in shard order. Returns 0 or the negated errno.</summary>
    /// <param name="socket">Any of the group.</param>
    /// <param name="isIPv6">The group's family.</param>
    /// <param name="shards">Number of sockets.</param>
    public static int Attach(int socket, bool isIPv6, int shards) => UdpSocket.AttachSteering(socket, [.. ByLane(shards), .. BySource(isIPv6, shards)]);

    /// <summary>
    /// A lane other than 0 and three zero bytes, the first of a number below 2^32, are where other datagrams have a whole number or what is encrypted: one in
    /// 2^24 of those looks alike, and is handed over.
    /// </summary>
    private static BpfInstruction[] ByLane(int shards) =>
    [
        new(LoadLength, 0, 0, 0), new(JumpIfNotLess, 0, 7, NumberAt + NumberBytes),
        new(LoadWord, 0, 0, NumberAt), new(JumpIfAnyBit, 5, 0, (1u << (int)LaneShift) - 1), new(JumpIfEqual, 4, 0, 0),
        new(ShiftRight, 0, 0, LaneShift), new(Subtract, 0, 0, Lanes.OfShard(0)), new(Modulo, 0, 0, (uint)shards), new(ReturnA, 0, 0, 0),
    ];

    private static IEnumerable<BpfInstruction> BySource(bool isIPv6, int shards)
    {
        List<BpfInstruction> program = [new(LoadWord, 0, 0, IPHeader + (isIPv6 ? IPv6Source : IPv4Source))];
        for (uint offset = IPv6Source + sizeof(uint); isIPv6 && offset < IPv6SourceEnd; offset += sizeof(uint))
            program.AddRange([new(CopyAToX, 0, 0, 0), new(LoadWord, 0, 0, IPHeader + offset), new(AddX, 0, 0, 0)]);
        return
        [
            .. program,
            new(Multiply, 0, 0, ForwardingTable.AddBytes), new(ShiftRight, 0, 0, 24), new(Modulo, 0, 0, (uint)shards), new(ReturnA, 0, 0, 0),
        ];
    }
}
