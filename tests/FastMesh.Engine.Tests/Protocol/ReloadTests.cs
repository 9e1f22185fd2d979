using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>What a reload changes, and that the plan made before says the same (tinc 1.0 reference, 1.6, but for connections that need not end).</summary>
public sealed class ReloadTests
{
    private static readonly string s_pem = RsaKeyPair.Generate(512).PublicPem;
    private static readonly RsaPublicIdentity s_one = Read(s_pem), s_other = Read(RsaKeyPair.Generate(512).PublicPem);

    private static readonly PeerSettings s_zeta = new() { Addresses = [new("192.0.2.9", "655")], PublicKey = s_one };

    public static TheoryData<string, string?> Changes() => new()
    {
        { "the same key read again", null },
        { "a subnet", null },
        { "an address", null },
        { "its key", "its public key changed" },
        { "TCPOnly", "TCPOnly, IndirectData changed in its host file" },
        { "IndirectData", "IndirectData changed in its host file" },
        { "ClampMSS", "ClampMSS changed in its host file" },
        { "PMTU", "PMTU changed in its host file" },
        { "Weight", "Weight changed in its host file" },
        { "no file", "its host file is gone" },
    };

    [Theory, MemberData(nameof(Changes))]
    public void A_connection_ends_only_for_what_matters_to_it(string change, string? reason)
    {
        MeshHarness mesh = Connected(out ConnectionId zeta);
        mesh.HostFiles["zeta"] = Changed(change);
        if (change == "no file")
            mesh.HostFiles.Remove("zeta");

        ConnectionChange? planned = mesh.Mesh.PlanReload(mesh.Settings).Connections.SingleOrDefault();
        Assert.Equal((reason, reason is null ? null : "zeta"), (planned?.Reason, planned?.Node));
        Assert.Equal(reason is null ? null : ConnectionStep.Reconnect, planned?.Step);
        mesh.Do((m, now) => m.Reload(mesh.Settings, now));
        Assert.Equal(reason is not null, mesh.IsClosed(zeta, out bool tarpit));
        Assert.False(tarpit);
        Assert.Equal(reason is not null && change != "no file" ? 1 : 0, mesh.Taken<MeshAction.Connect>().Count());
    }

    [Fact]
    public void A_node_that_others_are_behind_is_named_with_them()
    {
        MeshHarness mesh = Connected(out ConnectionId zeta);
        mesh.Say(zeta, "12 1 zeta omega 192.0.2.7 655 c 1", "12 2 omega zeta 192.0.2.9 655 c 1", "12 3 omega eta 192.0.2.5 655 c 1", "12 4 eta omega 192.0.2.7 655 c 1");
        mesh.HostFiles["zeta"] = s_zeta with { PublicKey = s_other };
        Assert.Equal(["eta", "omega"], Assert.Single(mesh.Mesh.PlanReload(mesh.Settings).Connections).Behind);
    }

    [Fact]
    public void A_node_that_is_no_longer_in_ConnectTo_keeps_its_connection_but_is_not_dialled_again()
    {
        MeshHarness mesh = Connected(out ConnectionId zeta);
        MeshSettings settings = mesh.Settings with { ConnectTo = [] };
        Assert.Equal([("zeta", ConnectionStep.Release)], Steps(mesh, settings));
        mesh.Do((m, now) => m.Reload(settings, now));
        Assert.False(mesh.IsClosed(zeta, out _));
        Assert.Empty(Steps(mesh, settings));
        mesh.Do((m, now) => m.HandleClosed(zeta, CloseReason.EndOfStream, "", now));
        mesh.WaitSeconds(60);
        Assert.Empty(mesh.Taken<MeshAction.Connect>());
    }

    [Fact]
    public void An_attempt_to_connect_outlives_reloads_that_do_not_concern_it()
    {
        MeshHarness mesh = new(settings => settings with { ConnectTo = ["zeta"] });
        mesh.HostFiles["zeta"] = s_zeta;
        mesh.Start();
        ConnectionId dialling = mesh.Taken<MeshAction.Connect>().Single().Connection;
        for (int i = 0; i < 5; i++)
            mesh.Do((m, now) => m.Reload(mesh.Settings with { PingInterval = TimeSpan.FromSeconds(10 + i) }, now));
        Assert.False(mesh.IsClosed(dialling, out _));
        Assert.Single(mesh.Taken<MeshAction.Connect>());

        mesh.HostFiles["zeta"] = s_zeta with { Addresses = [new("192.0.2.10", "655")] };
        Assert.Equal([("zeta", ConnectionStep.Reconnect)], Steps(mesh, mesh.Settings));
        mesh.Do((m, now) => m.Reload(mesh.Settings, now));
        Assert.True(mesh.IsClosed(dialling, out _));
        Assert.Equal("192.0.2.10 port 655", mesh.Taken<MeshAction.Connect>().Last().Target.ToString());
    }

    [Fact]
    public void A_wait_before_the_next_attempt_ends_with_a_reload()
    {
        MeshHarness mesh = new(settings => settings with { ConnectTo = ["zeta"] });
        mesh.HostFiles["zeta"] = s_zeta;
        mesh.Start();
        mesh.Do((m, now) => m.HandleClosed(mesh.Taken<MeshAction.Connect>().Single().Connection, CloseReason.Failed, "refused", now));
        Assert.Single(mesh.Taken<MeshAction.Connect>());
        mesh.Do((m, now) => m.Reload(mesh.Settings, now));
        Assert.Equal(2, mesh.Taken<MeshAction.Connect>().Count());
    }

    [Fact]
    public void A_shorter_PingTimeout_counts_at_once_and_is_not_taken_for_a_machine_that_slept()
    {
        MeshHarness mesh = new(settings => settings with { PingTimeout = TimeSpan.FromHours(1), PingInterval = TimeSpan.FromHours(1) });
        mesh.HostFiles["beta"] = new PeerSettings();
        mesh.Start();
        ConnectionId beta = mesh.JoinReachable("beta");
        mesh.WaitSeconds(1800);
        mesh.Do((m, now) => m.Reload(mesh.Settings with { PingTimeout = TimeSpan.FromSeconds(5), PingInterval = TimeSpan.FromSeconds(5) }, now));
        mesh.WaitSeconds(6);
        Assert.False(mesh.IsClosed(beta, out _));
        Assert.Equal(["8"], mesh.Heard(beta)); // PING
        mesh.WaitSeconds(11);
        Assert.True(mesh.IsClosed(beta, out _));
    }

    [Fact]
    public void Forwarding_options_are_in_the_next_table_and_what_a_start_fixes_stays()
    {
        MeshHarness mesh = new MeshHarness().Start();
        MeshSettings settings = mesh.Settings with
        {
            Name = "other",
            Port = "1",
            StrictSubnets = true,
            Forwarding = mesh.Settings.Forwarding with { DecrementTtl = true, Mode = Engine.Routing.RoutingMode.Hub, Shards = 9 },
        };
        mesh.Do((m, now) => m.Reload(settings, now));
        Assert.Equal(mesh.Settings.Forwarding with { DecrementTtl = true }, mesh.Table.Options);
        Assert.Equal("self", mesh.Table.Self.Name);
    }

    [Fact]
    public void Subnets_to_be_announced_and_withdrawn_are_planned_as_they_are_then_sent()
    {
        MeshHarness mesh = new(settings => settings with { StrictSubnets = true, Subnets = [Parse("10.1.0.0/16")] });
        mesh.HostFiles["beta"] = new PeerSettings { Subnets = [Parse("10.2.0.0/16")] };
        mesh.Start();
        ConnectionId beta = mesh.JoinReachable("beta");
        mesh.HostFiles["beta"] = new PeerSettings { Subnets = [Parse("10.3.0.0/16")] };
        mesh.HostFiles["gamma"] = new PeerSettings { Subnets = [Parse("10.4.0.0/16")] };
        MeshSettings settings = mesh.Settings with { Subnets = [Parse("10.5.0.0/16")] };
        Assert.Equal(
            ["11 self 10.1.0.0/16#10", "10 self 10.5.0.0/16#10", "11 beta 10.2.0.0/16#10", "10 beta 10.3.0.0/16#10", "10 gamma 10.4.0.0/16#10"],
            mesh.Mesh.PlanReload(settings).Subnets.Select(change => $"{(change.Announced ? 10 : 11)} {change.Owner} {change.Subnet}"));
        Assert.Empty(mesh.Heard(beta));

        string[] planned = [.. mesh.Mesh.PlanReload(settings).Subnets.Select(change => $"{(change.Announced ? 10 : 11)} N {change.Owner} {change.Subnet}")];
        mesh.Do((m, now) => m.Reload(settings, now));
        Assert.Equal(planned, mesh.HeardWithoutNonces(beta));
        Assert.Empty(mesh.Mesh.PlanReload(settings).Subnets);
    }

    private static PeerSettings Changed(string what) => what switch
    {
        "the same key read again" => s_zeta with { PublicKey = Read(s_pem) },
        "a subnet" => s_zeta with { Subnets = [Parse("10.2.0.0/16")] },
        "an address" => s_zeta with { Addresses = [new("192.0.2.10", "655")] },
        "its key" => s_zeta with { PublicKey = s_other },
        "TCPOnly" => s_zeta with { TcpOnly = true, IndirectData = true },
        "IndirectData" => s_zeta with { IndirectData = true },
        "ClampMSS" => s_zeta with { ClampMss = false },
        "PMTU" => s_zeta with { Pmtu = 1400 },
        "Weight" => s_zeta with { Weight = 9 },
        _ => s_zeta,
    };

    /// <summary>A mesh with an active connection that it has dialled.</summary>
    private static MeshHarness Connected(out ConnectionId zeta)
    {
        MeshHarness mesh = new(settings => settings with { ConnectTo = ["zeta"] });
        mesh.HostFiles["zeta"] = s_zeta;
        mesh.Start();
        zeta = mesh.Taken<MeshAction.Connect>().Single().Connection;
        ConnectionId id = zeta;
        mesh.Do((m, now) => m.HandleConnected(id, now));
        mesh.Say(zeta, "0 zeta 17", "4 655 10 c", "12 a zeta self 192.0.2.1 655 c 10");
        mesh.Heard(zeta);
        mesh.Actions.Clear();
        return mesh;
    }

    private static (string Node, ConnectionStep Step)[] Steps(MeshHarness mesh, MeshSettings settings) =>
        [.. mesh.Mesh.PlanReload(settings).Connections.Select(change => (change.Node, change.Step))];

    private static Subnet Parse(string text)
    {
        Assert.True(Subnet.TryParse(text, out Subnet subnet), text);
        return subnet;
    }

    private static RsaPublicIdentity Read(string pem)
    {
        Assert.True(RsaPublicIdentity.TryFromPem(pem, out RsaPublicIdentity? key, out string reason), reason);
        return key;
    }
}
