using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>The kernel's choice among the sockets of a listener against the owner that the control plane computes.</summary>
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
            }

            return true;
        });
    }

    private static void CheckArrival(UdpListener listener, Endpoint source, int shards)
    {
        using UdpListener sender = UdpListener.Open(source, new UdpSettings(), shards: 1);
        byte[] to = new byte[Endpoint.MaxSockaddrLength], buffer = new byte[8];
        Assert.Equal(3, UdpSocket.SendTo(sender.Socket(0), [1, 2, 3], to.AsSpan(0, listener.Local.WriteSockaddr(to))));
        int owner = ForwardingTable.OwnerShard(source, AnyId, shards);
        for (int shard = 0; shard < shards; shard++)
            Assert.True(FileIo.Read(listener.Socket(shard), buffer) == (shard == owner ? 3 : -Errno.EAGAIN), $"{source}, shard {shard}, owner {owner}");
    }
}
