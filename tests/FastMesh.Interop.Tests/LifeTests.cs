using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>What happens over time: restarts, frozen peers, new keys, expiry, reload.</summary>
public sealed class LifeTests
{
    [SkippableTheory]
    [InlineData(Programs.FastMesh, Programs.Tincd)]
    [InlineData(Programs.Tincd, Programs.FastMesh)]
    public void A_killed_listener_is_dialled_again_when_it_is_back(string dialler, string listener)
    {
        using TestNetwork network = new();
        (MeshNode alpha, MeshNode beta) = Pair(network, dialler, listener);
        int mark = alpha.LogMark();
        beta.Kill();
        alpha.WaitForLog(@"^Connection closed by beta|^Closing connection with beta", mark);
        beta.Start();
        alpha.WaitForConnection(beta, mark);
        network.Until(() => alpha.Host.CanPing(beta.Inner), "a ping after the restart");
        Assert.Equal(0, alpha.Host.Ping(beta.Inner, count: 5).Lost);
    }

    [SkippableTheory]
    [InlineData(Programs.FastMesh, Programs.Tincd)]
    [InlineData(Programs.Tincd, Programs.FastMesh)]
    public void A_killed_dialler_comes_back_and_is_served(string dialler, string listener)
    {
        using TestNetwork network = new();
        (MeshNode alpha, MeshNode beta) = Pair(network, dialler, listener);
        alpha.Kill();
        int mark = beta.LogMark();
        alpha.Start();
        beta.WaitForConnection(alpha, mark);
        network.Until(() => beta.Host.CanPing(alpha.Inner), "a ping after the restart");
        Assert.Equal(0, alpha.Host.Ping(beta.Inner, count: 5).Lost);
    }

    [SkippableTheory]
    [InlineData(Programs.FastMesh, Programs.Tincd)]
    [InlineData(Programs.Tincd, Programs.FastMesh)]
    public void A_peer_that_stops_answering_is_dropped_and_taken_back(string dialler, string listener)
    {
        using TestNetwork network = new();
        (MeshNode alpha, MeshNode beta) = Pair(network, dialler, listener, "PingInterval = 2");
        int mark = alpha.LogMark();
        beta.Signal("STOP");
        alpha.WaitForLog(@"^beta \(.*\) didn't respond to PING in \d+ seconds", mark);
        beta.Signal("CONT");
        alpha.WaitForConnection(beta, mark);
        network.Until(() => alpha.Host.CanPing(beta.Inner), "a ping after the pause");
    }

    [SkippableTheory]
    [InlineData(Programs.FastMesh, Programs.Tincd)]
    [InlineData(Programs.Tincd, Programs.FastMesh)]
    public void A_peer_with_a_new_key_is_refused_until_its_host_file_is_new_too(string dialler, string listener)
    {
        using TestNetwork network = new();
        (MeshNode alpha, MeshNode beta) = Pair(network, dialler, listener);
        beta.Stop();
        beta.Keys = NodeKeys.Create(3072);
        int mark = alpha.LogMark();
        beta.Start();
        alpha.Signal("ALRM");
        alpha.WaitForLog(@"Trying to connect to beta", mark);
        network.Until(() => beta.HasLogged("Possible intruder|Error while processing METAKEY|wrong keylength"), "the refusal");
        Assert.False(alpha.HasLogged(@"Connection with beta .* activated", mark));

        alpha.WriteHostFile(beta);
        mark = alpha.LogMark();
        network.Until(() =>
        {
            alpha.Signal("ALRM");
            return alpha.HasLogged(@"Connection with beta .* activated", mark);
        }, "the connection under the new key");
        network.Until(() => alpha.Host.CanPing(beta.Inner), "a ping under the new key");
    }

    /// <summary>
    /// tincd forgets the old key before its peer can know the new one, so a packet that crosses the change is lost:
    /// about one for each expiry, because it is usually traffic that wakes it up to expire. FastMesh loses none.
    /// </summary>
    [SkippableTheory]
    [InlineData(Programs.FastMesh, Programs.Tincd, "router")]
    [InlineData(Programs.FastMesh, Programs.Tincd, "switch")]
    [InlineData(Programs.FastMesh, Programs.FastMesh, "router")]
    [InlineData(Programs.Tincd, Programs.FastMesh, "router")]
    public void Keys_that_expire_every_two_seconds_cost_no_ping(string expiring, string other, string mode)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", expiring), beta = network.AddNode("beta", other);
        foreach (MeshNode node in network.Nodes) node.Settings.Add($"Mode = {mode}");
        alpha.Settings.Add("KeyExpire = 2");
        alpha.ConnectTo(beta);
        network.Start();
        alpha.WaitForUdp(beta);
        beta.WaitForUdp(alpha);

        int mark = alpha.LogMark();
        PingResult result = alpha.Host.Ping(beta.Inner, count: 400, interval: 0.02, size: 8);
        int expiries = alpha.Log(mark).Count(line => line.StartsWith("Expiring symmetric keys", StringComparison.Ordinal));
        Assert.True(expiries >= 2, $"{expiries} expiries");
        bool isReference = expiring == Programs.Tincd || Programs.IsReferenceOnly;
        Assert.InRange(result.Lost, 0, isReference ? 2 * expiries : 0);
    }

    [SkippableTheory, InlineData(Programs.FastMesh), InlineData(Programs.Tincd)]
    public void The_new_key_of_a_node_without_a_meta_connection_is_asked_for(string kind)
    {
        using TestNetwork network = new();
        MeshNode hub = network.AddNode("hub", Programs.Tincd), one = network.AddNode("one", kind), two = network.AddNode("two", Programs.Tincd);
        two.Settings.Add("KeyExpire = 2");
        one.ConnectTo(hub);
        two.ConnectTo(hub);
        network.Start();
        network.Until(() => one.Host.CanPing(two.Inner), "the first ping");
        one.WaitForUdp(two);
        int mark = one.LogMark();
        PingResult result = one.Host.Ping(two.Inner, count: 300, interval: 0.02, size: 8);
        int expiries = one.Log(mark).Count(line => line.StartsWith("Got KEY_CHANGED", StringComparison.Ordinal));
        Assert.InRange(expiries, 1, 10);
        Assert.InRange(result.Lost, 0, 2 * expiries);
    }

    private static (MeshNode Alpha, MeshNode Beta) Pair(TestNetwork network, string dialler, string listener, params string[] settings)
    {
        MeshNode alpha = network.AddNode("alpha", dialler), beta = network.AddNode("beta", listener);
        alpha.ConnectTo(beta);
        alpha.Settings.AddRange(settings);
        beta.Settings.AddRange(settings);
        network.Start();
        network.Until(() => alpha.Host.CanPing(beta.Inner), "the first ping");
        return (alpha, beta);
    }
}
