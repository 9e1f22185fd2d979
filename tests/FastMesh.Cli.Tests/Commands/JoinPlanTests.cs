using FastMesh.Cli.Commands;

namespace FastMesh.Cli.Tests.Commands;

/// <summary>What of an invitation reaches the files of the joining node (tinc 1.1 reference, 9.4, 9.7; compared with <c>tinc join</c> 1.1pre18).</summary>
public class JoinPlanTests
{
    private const string Invitation = """
        Name = beta
        NetName = master
        ConnectTo = alpha
        # comment
        Mode = switch
        Ifconfig = 10.9.0.5/24
        Ifconfig = fd00:0:0::5/64
        Ifconfig = dhcp
        Ifconfig = dhcp6
        Ifconfig = slaac
        Ifconfig = 02:00:00:00:00:01
        Route = 10.8.0.0/16
        Route = 10.7.0.0/16 10.9.0.1
        Route = fd01::/64 fd00::1
        Subnet = 10.9.0.5/32
        weight = 5
        Compression = 0
        PingInterval = 30
        #---------------------------------------------------------------#
        Name = alpha
        Address = 192.0.2.1
        #---------------------------------------------------------------#
        Port = 656
        Name = gamma
        Subnet = 10.1.0.0/16

        """;

    [Fact]
    public void Every_line_goes_where_tinc_puts_it()
    {
        JoinPlan plan = Parse(Invitation, out List<string> notes);
        Assert.Empty(notes);
        Assert.Equal(("beta", "master"), (plan.Name, plan.NetName));
        Assert.Equal("Name = beta\nConnectTo = alpha\nMode = switch\nPingInterval = 30\n", plan.ServerLines);
        Assert.Equal("Subnet = 10.9.0.5/32\nWeight = 5\nCompression = 0\n", plan.HostLines);
        Assert.Equal(
            [new("alpha", "Address = 192.0.2.1\nPort = 656\n"), new KeyValuePair<string, string>("gamma", "Subnet = 10.1.0.0/16\n")],
            plan.Hosts);
        Assert.Equal(
            """
            #!/bin/sh
            ip link set dev "$INTERFACE" up
            ip addr replace 10.9.0.5/24 dev "$INTERFACE"
            ip addr replace fd00::5/64 dev "$INTERFACE"
            dhclient -nw "$INTERFACE"
            dhclient -6 -nw "$INTERFACE"
            echo 1 >"/proc/sys/net/ipv6/conf/$INTERFACE/accept_ra"
            echo 1 >"/proc/sys/net/ipv6/conf/$INTERFACE/autoconf"
            ip route add 10.8.0.0/16 dev "$INTERFACE"
            ip route add 10.7.0.0/16 via 10.9.0.1 dev "$INTERFACE" onlink
            ip route add fd01::/64 via fd00::1 dev "$INTERFACE" onlink

            """,
            plan.Script.ToString());
    }

    [Fact]
    public void Without_lines_about_the_interface_there_is_no_script()
        => Assert.True(Parse("Name = b\nConnectTo = a\n", out _).Script.IsEmpty);

    [Theory]
    [InlineData("ScriptsInterpreter = /bin/sh")]
    [InlineData("Device = /dev/sda")]
    [InlineData("Proxy = exec reboot")]
    [InlineData("GraphDumpFile = |reboot")]
    [InlineData("PrivateKeyFile = /etc/shadow")]
    [InlineData("Ed25519PrivateKeyFile = x")]
    [InlineData("Port = 1")]
    [InlineData("Address = 192.0.2.9")]
    [InlineData("ProcessPriority = high")]
    [InlineData("ExperimentalProtocol = no")]
    [InlineData("LegacyProtocol = yes")]
    public void Variables_that_can_do_harm_need_force(string line)
    {
        JoinPlan plan = Parse($"Name = b\n{line}\n", out List<string> notes);
        Assert.Equal($"Ignoring unsafe variable '{line.Split(' ')[0]}' in invitation.", Assert.Single(notes));
        Assert.Equal("Name = b\n", plan.ServerLines + plan.HostLines);

        JoinPlan forced = JoinPlan.Parse($"Name = b\n{line}\n", force: true, Assert.Null);
        Assert.Contains($"{line}\n", forced.ServerLines + forced.HostLines);
    }

    [Fact]
    public void Unknown_variables_are_dropped_even_with_force()
    {
        List<string> notes = [];
        JoinPlan plan = JoinPlan.Parse("Name = b\nFoo = bar\n", force: true, notes.Add);
        Assert.Equal(["Ignoring unknown variable 'Foo' in invitation."], notes);
        Assert.Equal("Name = b\n", plan.ServerLines + plan.HostLines);
    }

    [Theory]
    [InlineData("Ifconfig = bogus")]
    [InlineData("Ifconfig = 10.0.0.1/33")]
    [InlineData("Ifconfig = 10.1/8")]
    [InlineData("Ifconfig = 10.0.0.1/24; reboot")]
    [InlineData("Ifconfig = fe80::1%eth0/64")]
    [InlineData("Ifconfig = $(reboot)")]
    [InlineData("Route = default 10.9.0.1")]
    [InlineData("Route = 10.6.0.1/8")]
    [InlineData("Route = 10.6.0.0/16 $(reboot)")]
    [InlineData("Route = 10.6.0.0/16 10.0.0.1/8")]
    [InlineData("Route = 10.6.0.0/16 fd00::1")]
    [InlineData("Route = 10.6.0.0/16 10.0.0.1 dev eth0")]
    public void Nothing_reaches_the_shell_that_is_no_address(string line)
    {
        JoinPlan plan = Parse($"Name = b\n{line}\n", out List<string> notes);
        Assert.Equal($"Ignoring '{line}' in invitation: it cannot be understood.", Assert.Single(notes));
        Assert.True(plan.Script.IsEmpty);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ConnectTo = a\nName = b\n")]
    [InlineData("Name = a-b\n")]
    [InlineData("Name = b\nName = ../../etc/passwd\nx\n")]
    [InlineData("Name = b\nName = a\nName = b\nEd25519PublicKey = x\n")]
    [InlineData("Name = b\nName = a\nx\nName = a\ny\n")]
    public void What_is_no_invitation_is_refused(string text)
        => Assert.Throws<InvalidDataException>(() => JoinPlan.Parse(text, force: false, _ => { }));

    [Theory]
    [InlineData("..", null)]
    [InlineData("a/b", null)]
    [InlineData("-x", "-x")]
    [InlineData("my.net-1_2", "my.net-1_2")]
    public void A_net_name_must_be_fit_for_a_directory(string name, string? expected)
        => Assert.Equal(expected, Parse($"Name = b\nNetName = {name}\n", out _).NetName);

    private static JoinPlan Parse(string text, out List<string> notes)
    {
        List<string> list = notes = [];
        return JoinPlan.Parse(text, force: false, list.Add);
    }
}
