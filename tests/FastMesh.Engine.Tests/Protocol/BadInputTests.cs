using System.Text;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>Random and mutated input: nothing throws, and what it costs is bounded.</summary>
public sealed class BadInputTests
{
    private const string Key = "807531CF8CC61CB3BE46EC3878FF472005C36584F3C436EE1C8696F03F8992D194B05BA37989E053F94B165891033014";

    private static readonly string[] s_templates =
    [
        "8", "9", "10 1f beta 10.2.0.0/16#10", "11 2f beta 10.2.0.0/16", "10 3 gamma fd00::/64#-1", "10 4 self 1:2:3:4:5:6",
        "12 5 beta gamma 192.0.2.9 655 c 5", "12 6 gamma beta fe80::1 655 700000c 5 10.0.0.1 655", "12 7 self beta 192.0.2.2 655 c 7",
        "12 8 gamma self x y ffffffff 2147483647", "13 9 beta gamma", "13 a self beta", "13 b beta self", "14 c beta", "14 d self",
        "15 beta self", "15 gamma self 100 blob", "15 self beta", $"16 beta self {Key} 427 672 4 0", "16 beta self 00 0 672 4 0",
        $"16 gamma self {Key} 427 672 4 11 192.0.2.77 9", $"16 beta gamma {Key} 91 64 4 0", "17 10", "17 -1", "17 65600",
        "0 beta 17", "1 429 672 0 0 00", "2 00", "3 00", "4 655 10 c",
    ];

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 20)];

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Mutated_requests_never_throw_and_leave_a_working_mesh(int seed)
    {
        Random random = new(seed);
        MeshHarness mesh = new MeshHarness(settings => settings with { Subnets = [Subnet.FromMac(new MacAddress(1))] }, seed).Start();
        mesh.HostFiles["beta"] = new PeerSettings();
        for (int i = 0; i < 1000; i++)
        {
            ConnectionId id = random.Next(3) == 0 ? mesh.Accept() : mesh.JoinReachable(random.Next(2) == 0 ? "beta" : "delta");
            for (int j = 0; j < 5; j++)
            {
                string line = s_templates[random.Next(s_templates.Length)];
                mesh.Feed(id, Mutate(random, Encoding.Latin1.GetBytes(line + "\n")));
            }

            if (random.Next(10) == 0)
                mesh.WaitSeconds(random.Next(8));
            else
                mesh.WaitSeconds(0.3);
        }

        ConnectionId last = mesh.JoinReachable("omega");
        mesh.Say(last, "8");
        Assert.True(mesh.Heard(last)[^1] == "9", $"seed {seed}");
    }

    [Theory]
    [MemberData(nameof(Seeds))]
    public void Random_bytes_never_throw_in_any_state(int seed)
    {
        Random random = new(seed);
        MeshHarness mesh = new MeshHarness(seed: seed).Start();
        byte[] bytes = new byte[5000];
        for (int i = 0; i < 100; i++)
        {
            ConnectionId id = random.Next(2) == 0 ? mesh.Accept() : mesh.JoinReachable("beta");
            random.NextBytes(bytes);
            mesh.Feed(id, bytes.AsSpan(0, random.Next(bytes.Length)));
            mesh.Do((m, now) => m.HandleProbe(random.Next(-1, 5), bytes.AsSpan(0, random.Next(40)), now));
            mesh.Do((m, now) => m.HandleTooBig(random.Next(-1, 5), random.Next(-5, 3000), now));
            mesh.Do((m, now) => m.HandleTcpFrame(random.Next(-1, 5), bytes.AsSpan(0, random.Next(2000)), random.Next(-1, 5), now));
            mesh.Do((m, now) => m.HandleUnknownDatagram(Endpoint.FromIPv4((uint)i, 1), 0, bytes.AsSpan(0, random.Next(1700)), now));
            mesh.WaitSeconds(1);
        }

        Assert.Contains(mesh.Graph, line => line.StartsWith(" self at MYSELF", StringComparison.Ordinal));
    }

    [Fact]
    public void An_unauthenticated_connection_costs_a_few_kilobytes_whatever_it_sends()
    {
        MeshHarness mesh = new MeshHarness().Start();
        List<ConnectionId> ids = [];
        long before = GC.GetAllocatedBytesForCurrentThread();
        byte[] rubbish = Enumerable.Repeat((byte)'9', 2175).ToArray();
        for (int i = 0; i < 10; i++)
        {
            ids.Add(mesh.Accept());
            mesh.Feed(ids[^1], rubbish);
        }

        long after = GC.GetAllocatedBytesForCurrentThread();
        Assert.InRange((after - before) / ids.Count, 0, 16_384);
        foreach (ConnectionId id in ids)
            mesh.Feed(id, rubbish);
        Assert.All(ids, id => Assert.True(mesh.IsClosed(id, out bool tarpit) && tarpit));
    }

    [Fact]
    public void Seen_requests_are_bounded_in_number_and_size()
    {
        var seen = new SeenRequests();
        for (int i = 0; i < ProtocolLimits.MaxSeenRequests + 1000; i++)
            Assert.True(seen.TryAdd(BitConverter.GetBytes(i), new Instant(i)));
        Assert.Equal(ProtocolLimits.MaxSeenRequests, seen.Count);
        Assert.True(seen.TryAdd(BitConverter.GetBytes(5), new Instant(0))); // the oldest were given up
        Assert.False(seen.TryAdd(BitConverter.GetBytes(100_000), new Instant(0)));
        seen.ForgetUntil(Instant.Never);
        Assert.Equal(0, seen.Count);
        Assert.True(seen.TryAdd(BitConverter.GetBytes(100_000), new Instant(0)));
    }

    private static byte[] Mutate(Random random, byte[] line)
    {
        List<byte> bytes = [.. line];
        for (int i = random.Next(4); i > 0 && bytes.Count > 1; i--)
        {
            int at = random.Next(bytes.Count);
            switch (random.Next(5))
            {
                case 0:
                    bytes[at] = (byte)random.Next(256);
                    break;
                case 1:
                    bytes.RemoveAt(at);
                    break;
                case 2:
                    bytes.InsertRange(at, Enumerable.Repeat((byte)"0f9 -x"[random.Next(6)], random.Next(1, 3000)));
                    break;
                case 3:
                    bytes.InsertRange(at, bytes.GetRange(0, random.Next(bytes.Count)));
                    break;
                case 4:
                    bytes.RemoveRange(at, bytes.Count - at);
                    break;
            }
        }

        return [.. bytes];
    }
}
