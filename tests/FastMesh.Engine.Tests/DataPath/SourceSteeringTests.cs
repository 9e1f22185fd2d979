using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>The kernel's choice among the sockets of a listener against the owner that the control plane computes, by source or by lane.</summary>
public sealed class SourceSteeringTests
{
    private const int AnyId = 12345; // must not count when the address is known

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(8)]
    public void Datagrams_arrive_at_the_shard_that_owns_the_sessions_with_their_source(int shards)
    {
        using UdpListener listener = UdpListener.Open(Endpoint.FromIPv4(0x7f000001, 0), new UdpSettings(), shards);
        Random random = new(shards);
        for (int i = 0; i < 100; i++)
            CheckArrival(listener, Endpoint.FromIPv4(0x7f000000 | (uint)random.Next(1, 0xfffffe), 0), shards);
    }

    /// <summary>Two ids, and the number of which the first byte is the lane.</summary>
    [Theory]
    [InlineData("01 00000000000005", 0)]
    [InlineData("02 000000ffffffff", 1)]
    [InlineData("03 00000000000000", 2)]
    [InlineData("04 00000000000009", 0)]
    [InlineData("40 00000000000009", 0)] // 64, the last one
    [InlineData("00 00000000000009", -1)] // lane 0 has the owner of its source
    [InlineData("02 00000100000000", -1)] // after 2^32 datagrams the hand-over is left to do
    [InlineData("02 000001 10203040", -1)] // a number of tinc 1.1, of four bytes
    [InlineData("02 010000 10203040", -1)]
    [InlineData("02 000000", 1)] // as much as is looked at
    [InlineData("02 0000", -1)]
    public void Datagrams_of_a_lane_arrive_at_the_shard_that_opens_it(string number, int shard)
    {
        byte[] ids = [.. new byte[6], 9, 8, 7, 6, 5, 4], datagram = [.. ids, .. Convert.FromHexString(number.Replace(" ", "", StringComparison.Ordinal))];
        using UdpListener listener = UdpListener.Open(Endpoint.FromIPv4(0x7f000001, 0), new UdpSettings(), shards: 3);
        foreach (uint source in (uint[])[0x7f000005, 0x7f000006, 0x7f000007])
            CheckArrival(listener, Endpoint.FromIPv4(source, 0), 3, datagram, shard);
    }

    [SkippableFact]
    public void The_same_holds_for_ipv6()
    {
        string[] addresses = ["fd00::1", "fd00::2", "fd12:3456:789a:bcde:f012:3456:789a:bcde", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::1"];
        using NamespaceThread host = new();
        foreach (string address in addresses.SkipLast(1))
            host.Run("ip", "addr", "add", address + "/128", "dev", "lo", "nodad");
        _ = host.Call(() =>
        {
            using UdpListener listener = UdpListener.Open(Endpoint.FromIPv6(1, 0), new UdpSettings(), shards: 3);
            foreach (string text in addresses)
            {
                Assert.True(Endpoint.TryParse(text, "0", out Endpoint source));
                CheckArrival(listener, source, shards: 3);
                CheckArrival(listener, source, 3, [.. new byte[12], 3, .. new byte[30]], expected: 2);
            }

            return true;
        });
    }

    private static void CheckArrival(UdpListener listener, Endpoint source, int shards) => CheckArrival(listener, source, shards, [1, 2, 3], expected: -1);

    /// <param name="listener">Whose sockets.</param>
    /// <param name="source">Where it comes from.</param>
    /// <param name="shards">Number of sockets.</param>
    /// <param name="datagram">What is sent.</param>
    /// <param name="expected">Which socket gets it; -1: that of the source's owner.</param>
    private static void CheckArrival(UdpListener listener, Endpoint source, int shards, byte[] datagram, int expected)
    {
        using UdpListener sender = UdpListener.Open(source, new UdpSettings(), shards: 1);
        byte[] to = new byte[Endpoint.MaxSockaddrLength], buffer = new byte[64];
        Assert.Equal(datagram.Length, UdpSocket.SendTo(sender.Socket(0), datagram, to.AsSpan(0, listener.Local.WriteSockaddr(to))));
        int owner = expected >= 0 ? expected : ForwardingTable.OwnerShard(source, AnyId, shards);
        for (int shard = 0; shard < shards; shard++)
            Assert.True(FileIo.Read(listener.Socket(shard), buffer) == (shard == owner ? datagram.Length : -Errno.EAGAIN), $"{source}, shard {shard}, owner {owner}");
    }
}
