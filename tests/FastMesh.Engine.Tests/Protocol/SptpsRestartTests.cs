using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>How sessions with tinc 1.1 nodes begin anew, change their keys and end (tinc 1.1 reference, 5).</summary>
public sealed class SptpsRestartTests
{
    private readonly MeshHarness _mesh = SptpsNode.Mesh();

    [Fact]
    public void When_both_start_at_once_ours_goes_on_because_tincd_gives_up_its_own()
    {
        SptpsNode beta = new(_mesh);
        Want();
        beta.Start(); // before it has read ours
        beta.Answer();
        beta.AssertPasses();
    }

    [Fact]
    public void A_start_without_answer_is_repeated_after_ten_seconds_and_a_random_while()
    {
        SptpsNode beta = new(_mesh);
        Want();
        Assert.Single(beta.Listen());
        _mesh.WaitSeconds(12.9); // ours is the name that sorts higher
        Want();
        Assert.Empty(beta.Listen());
        _mesh.WaitSeconds(2.2);
        Want();
        Assert.Single(beta.Listen());
        beta.Start(); // ours goes before it
        Assert.Empty(beta.Listen());
        beta.Start(); // but this node insists
        beta.Answer();
        beta.AssertPasses();
    }

    [Fact]
    public void A_new_start_replaces_a_session_that_is_in_use()
    {
        SptpsNode beta = new(_mesh);
        beta.Start();
        beta.Answer();
        PacketSealer? before = Beta.Sealer;
        beta.Start();
        Assert.Null(Beta.Sealer);
        beta.Answer();
        Assert.NotSame(before, Beta.Sealer);
        beta.AssertPasses();
    }

    [Fact]
    public void A_record_that_fails_restarts_the_session_only_if_it_is_ten_seconds_old()
    {
        SptpsNode beta = new(_mesh);
        beta.Start();
        beta.Answer();
        string bad = $"16 beta self {TincBase64.Encode(new byte[80])} -1 -1 -1 0";
        _mesh.Say(beta.Connection, bad);
        Assert.Empty(beta.Listen());
        beta.AssertPasses();
        _mesh.WaitSeconds(11);
        _mesh.Say(beta.Connection, bad);
        beta.Answer();
        Assert.StartsWith("15 self beta 15 ", beta.Heard[2], StringComparison.Ordinal);
        beta.AssertPasses();
    }

    [Fact]
    public void Datagrams_that_do_not_open_restart_a_session_only_if_none_does_for_a_while()
    {
        SptpsNode beta = new(_mesh);
        beta.Start();
        beta.Answer();
        _mesh.WaitSeconds(11);
        for (int i = 0; i < 10; i++)
        {
            Fail();
            beta.AssertPasses(); // someone else sends rubbish in beta's name
        }

        Assert.Empty(beta.Listen());
        for (int i = 0; i < 3; i++)
            Fail();
        Assert.Single(beta.Listen());
        for (int i = 0; i < 10; i++)
            Fail(); // too young
        Assert.Empty(beta.Listen());

        void Fail() => _mesh.Do((mesh, now) => mesh.HandleOpenFailed(Beta.Id, now));
    }

    [Fact]
    public void A_change_of_reachability_ends_the_session()
    {
        SptpsNode beta = new(_mesh);
        beta.Start();
        beta.Answer();
        _mesh.Say(beta.Connection, "13 2 beta self");
        Assert.Null(Beta.Sealer);
        Assert.Null(Beta.Opener);
        _mesh.Say(beta.Connection, "12 3 beta self 192.0.2.1 655 700000c 10");
        Assert.Null(Beta.Sealer);
        beta.Start();
        beta.Answer();
        beta.AssertPasses();
    }

    [Fact]
    public void A_change_of_protocol_ends_the_session()
    {
        SptpsNode beta = new(_mesh);
        beta.Start();
        beta.Answer();
        ConnectionId again = _mesh.Join("beta", "c");
        Assert.Equal(NodeProtocol.Legacy, Beta.Protocol);
        Assert.Null(Beta.Sealer);
        Assert.Contains(_mesh.Heard(again), line => line.StartsWith("16 self beta ", StringComparison.Ordinal) && line.EndsWith(" 427 672 4 0", StringComparison.Ordinal));
    }

    [Fact]
    public void New_keys_come_after_key_expire_and_udp_pauses_while_they_change()
    {
        MeshHarness mesh = SptpsNode.Mesh(settings => settings with { KeyExpire = TimeSpan.FromSeconds(60), PingInterval = TimeSpan.FromHours(1) });
        SptpsNode beta = new(mesh);
        beta.Start();
        beta.Answer();
        PeerRoute Route() => mesh.Route("beta")!;
        beta.ProveUdp();
        Assert.True(Route().MinMtu > 0);
        PacketSealer? before = Route().Sealer;
        int heard = beta.Heard.Count;
        for (int i = 0; i < 140 && Route().MinMtu > 0; i++)
        {
            mesh.Do((m, now) => m.HandleProbe(mesh.Route("beta")!.Id, [2, .. new byte[17]], now)); // keeps it confirmed
            mesh.WaitSeconds(0.5);
            beta.Answer();
        }

        Assert.Equal(0, Route().MinMtu);
        Assert.Same(before, Route().Sealer);
        Assert.Equal(115, beta.Heard[heard].Split(' ')[3].Length); // 86 bytes: KEX in a record (3.7)
        mesh.WaitSeconds(0.1);
        Assert.NotSame(before, Route().Sealer);
        Assert.Equal(0, Route().MinMtu);
        beta.Answer();
        beta.AssertPasses();
        mesh.WaitSeconds(0.1);
        Assert.True(Route().MinMtu > 0);
        beta.AssertPasses();
    }

    [Fact]
    public void A_re_key_that_got_stuck_ends_in_a_new_session()
    {
        MeshHarness mesh = SptpsNode.Mesh(settings => settings with { KeyExpire = TimeSpan.FromSeconds(60), PingInterval = TimeSpan.FromHours(1) });
        SptpsNode beta = new(mesh);
        beta.Start();
        beta.Answer();
        mesh.WaitSeconds(70);
        Assert.Single(beta.Listen()); // KEX, unanswered
        mesh.WaitSeconds(60);
        beta.Answer();
        Assert.Contains(beta.Heard, line => line.StartsWith("15 self beta 15 ", StringComparison.Ordinal));
        beta.AssertPasses();
    }

    private PeerRoute Beta => _mesh.Route("beta")!;

    private void Want() => _mesh.Do((mesh, now) => mesh.HandleTraffic(Beta.Id, keyNeeded: true, now));
}
