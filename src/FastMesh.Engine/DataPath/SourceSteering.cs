using FastMesh.Engine.Routing;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// Makes the kernel deliver each datagram to the socket of the shard that <see cref="ForwardingTable.OwnerShard"/> names for its source. This
/// saves a hand-over per datagram; without it (before Linux 4.5) the kernel's flow hash chooses, and all works as well.
/// </summary>
internal static class SourceSteering
{
    // Operations of classic BPF (linux/filter.h). A is the accumulator, X the index register.
    private const ushort LoadWord = 0x20, AddX = 0x0c, Multiply = 0x24, ShiftRight = 0x74, Modulo = 0x94, CopyAToX = 0x07, ReturnA = 0x16;

    private const uint IPHeader = 0xfff0_0000; // SKF_NET_OFF
    private const uint IPv4Source = 12, IPv6Source = 8, IPv6SourceEnd = 24;

    /// <summary>Attaches the program to a group of sockets that share an address, in shard order. Returns 0 or the negated errno.</summary>
    /// <param name="socket">Any of the group.</param>
    /// <param name="isIPv6">The group's family.</param>
    /// <param name="shards">Number of sockets.</param>
    public static int Attach(int socket, bool isIPv6, int shards)
    {
        List<BpfInstruction> program = [new(LoadWord, 0, 0, IPHeader + (isIPv6 ? IPv6Source : IPv4Source))];
        for (uint offset = IPv6Source + sizeof(uint); isIPv6 && offset < IPv6SourceEnd; offset += sizeof(uint))
            program.AddRange([new(CopyAToX, 0, 0, 0), new(LoadWord, 0, 0, IPHeader + offset), new(AddX, 0, 0, 0)]);
        program.AddRange(
        [
            new(Multiply, 0, 0, ForwardingTable.AddBytes), new(ShiftRight, 0, 0, 24), new(Modulo, 0, 0, (uint)shards), new(ReturnA, 0, 0, 0),
        ]);
        return UdpSocket.AttachSteering(socket, [.. program]);
    }
}
