using FastMesh.Cli.Config;

namespace FastMesh.Cli.Tests.Config;

public class ConfigSchemaTests
{
    // The names of the tables in the tinc 1.0 reference, 2.4, and the tinc 1.1 reference, 9.7.
    private const string Tinc10 = """
        Name AddressFamily Address BindToAddress BindToInterface Broadcast Cipher ClampMSS Compression ConnectTo DecrementTTL Device
        DeviceType Digest DirectOnly Forwarding GraphDumpFile Hostnames IffOneQueue IndirectData Interface KeyExpire LocalDiscovery
        MACExpire MACLength MaxOutputBufferSize MaxTimeout MinTimeout Mode PingInterval PingTimeout PMTU PMTUDiscovery Port
        PriorityInheritance PrivateKey PrivateKeyFile ProcessPriority Proxy PublicKey PublicKeyFile ReplayWindow ScriptsInterpreter
        StrictSubnets Subnet TCPOnly TunnelServer UDPRcvBuf UDPSndBuf VDEGroup VDEPort Weight
        """;

    private const string Tinc11 = """
        AutoConnect BroadcastSubnet DeviceStandby DisableBuggyPeers Ed25519PrivateKeyFile Ed25519PublicKey Ed25519PublicKeyFile
        ExperimentalProtocol FWMark InvitationExpire ListenAddress LogLevel MaxConnectionBurst MTUInfoInterval UDPInfoInterval Sandbox
        ScriptsExtension UDPDiscovery UDPDiscoveryInterval UDPDiscoveryKeepaliveInterval UDPDiscoveryTimeout UPnP UPnPDiscoverWait
        UPnPRefreshPeriod
        """;

    public static TheoryData<string, bool> Names()
    {
        TheoryData<string, bool> data = [];
        foreach (string name in Words(Tinc10))
            data.Add(name, false);
        foreach (string name in Words(Tinc11))
            data.Add(name, true);
        return data;
    }

    [Theory, MemberData(nameof(Names))]
    public void Every_variable_of_tinc_is_known_in_any_case(string name, bool newer)
    {
        ConfigVariable? variable = ConfigSchema.Find(name.ToUpperInvariant());
        Assert.NotNull(variable);
        Assert.Equal(name, variable.Name);
        Assert.Equal(newer, variable.NewerThanTinc10);
    }

    [Fact]
    public void The_table_holds_no_name_twice()
        => Assert.Equal(ConfigSchema.Variables.Count, ConfigSchema.Variables.Select(v => v.Name.ToUpperInvariant()).Distinct().Count());

    [Theory]
    [InlineData("ConnectTo")]
    [InlineData("Address")]
    [InlineData("Subnet")]
    [InlineData("BindToAddress")]
    [InlineData("BroadcastSubnet")]
    [InlineData("ListenAddress")]
    [InlineData("Ifconfig")] // in invitations
    [InlineData("Route")]
    public void Only_the_variables_that_tinc_lists_may_repeat(string name)
    {
        Assert.True(ConfigSchema.Find(name)!.Multiple);
        Assert.Equal(8, ConfigSchema.Variables.Count(v => v.Multiple));
    }

    [Fact]
    public void A_known_variable_without_effect_says_so()
        => Assert.Equal(
            "Variable VDEGroup (tinc.conf line 3) is known but not built yet; ignored",
            ConfigSchema.Warning(new("vdegroup", "yes", "tinc.conf", 3))?.Text);

    [Theory]
    [InlineData("ConectTo", "; did you mean ConnectTo?")]
    [InlineData("BindtoAdress", "; did you mean BindToAddress?")]
    [InlineData("Prot", "")]
    [InlineData("Xyzzy", "")]
    public void An_unknown_variable_is_reported_with_the_nearest_name_if_there_is_one(string name, string suggestion)
        => Assert.Equal($"Unknown variable {name} (tinc.conf line 3) ignored{suggestion}", ConfigSchema.Warning(new(name, "x", "tinc.conf", 3))?.Text);

    [Fact]
    public void A_variable_that_works_is_not_mentioned()
        => Assert.Null(ConfigSchema.Warning(new("subnet", "10.0.0.0/8", "tinc.conf", 3)));

    private static string[] Words(string text) => text.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
}
