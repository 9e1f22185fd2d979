using System.Collections;
using System.Reflection;
using FastMesh.Cli.Config;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.Protocol;
using FastMesh.Tests;

namespace FastMesh.Cli.Tests.Config;

/// <summary>The configuration read again: what differs from the one in force, what is refused, and when a change takes effect.</summary>
public sealed class RereadTests : IDisposable
{
    private readonly LoaderFixture _fixture = new("ConnectTo = b\nPingInterval = 60\n");

    public RereadTests()
    {
        _fixture.Net.Write("hosts/b", $"Address = b.example.org\n{LoaderFixture.PublicPem}\n");
        Options = _fixture.Load()!;
    }

    private DaemonOptions Options { get; }

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void Without_a_change_nothing_differs()
    {
        _fixture.Net.Write("tinc.conf", "# a comment\n\nPingInterval 60\nName = a\nConnectTo=b\n");
        _fixture.Net.Write("hosts/b", $"# moved\nAddress = b.example.org\n\n{LoaderFixture.PublicPem}\n");
        ConfigurationReading reading = Options.Reread!();
        Assert.Empty(reading.Errors);
        Assert.Empty(reading.Variables);
        Assert.Empty(reading.Hosts);
    }

    [Fact]
    public void Values_are_compared_with_file_line_and_effect_and_reading_changes_nothing()
    {
        _fixture.Net.Write("tinc.conf", "Name = a\nPingInterval = 30\nConnectTo = c\nMode = hub\nXyzzy = 1\nTCPOnly = yes\n");
        _fixture.Net.Write("hosts/b", $"Subnet = 10.2.0.0/16\nWeight = 3\nMode = hub\n{LoaderFixture.PublicPem}\n");
        string[] expected =
        [
            "ConnectTo: b (tinc.conf line 2) -> , Reload",
            "ConnectTo:  -> c (tinc.conf line 3), Reload",
            "Mode:  -> hub (tinc.conf line 4), Restart",
            "PingInterval: 60 (tinc.conf line 3) -> 30 (tinc.conf line 2), Reload",
            "TCPOnly:  -> yes (tinc.conf line 6), NextConnection",
            "Xyzzy:  -> 1 (tinc.conf line 5), None",
            "b.Address: b.example.org (hosts/b line 1) -> , NextConnection",
            "b.Mode:  -> hub (hosts/b line 3), None",
            "b.Subnet:  -> 10.2.0.0/16 (hosts/b line 1), None", // without StrictSubnets
            "b.Weight:  -> 3 (hosts/b line 2), NextConnection",
        ];
        Assert.Equal(expected, Describe(Options.Reread!()));
        Assert.Equal(expected, Describe(Options.Reread()));

        Options.Reread().Accept();
        Assert.Equal(["Mode:  -> hub (tinc.conf line 4), Restart"], Describe(Options.Reread()));
    }

    [Fact]
    public void Host_files_come_go_and_change_their_keys()
    {
        _fixture.Net.Write("hosts/c", $"Address = c\n{LoaderFixture.PublicPem}\n");
        Options.Reread!().Accept();
        _fixture.Net.Write("hosts/d", $"{LoaderFixture.PublicPem}\n");
        _fixture.Net.Write("hosts/b", $"Address = b.example.org\n{Engine.Crypto.RsaKeyPair.Generate(512).PublicPem}\n");
        File.Delete(_fixture.Net["hosts/c"]);
        ConfigurationReading reading = Options.Reread();
        Assert.Equal(
            [("b", HostFileChange.KeyChanged), ("c", HostFileChange.Removed), ("d", HostFileChange.Added)],
            reading.Hosts.Select(change => (change.Node, change.Change)));
        Assert.Empty(reading.Variables);
    }

    [Fact]
    public void What_an_option_of_the_command_line_overrides_does_not_differ()
    {
        DaemonOptions options = _fixture.Load("-o", "PingInterval=10", "-o", "b.Weight=1")!;
        _fixture.Net.Write("tinc.conf", "Name = a\nConnectTo = b\nPingInterval = 30\n");
        _fixture.Net.Write("hosts/b", $"Address = b.example.org\nWeight = 9\n{LoaderFixture.PublicPem}\n");
        Assert.Empty(Describe(options.Reread!()));
    }

    [Fact]
    public void Secrets_are_not_shown()
    {
        _fixture.Net.Write("tinc.conf", "Name = a\nConnectTo = b\nPingInterval = 60\nPrivateKey = 1F\nProxy = socks5 localhost 1080 me hush\n");
        Assert.Equal(
            ["PrivateKey:  -> (secret) (tinc.conf line 4), Restart", "Proxy:  -> socks5 localhost 1080 (secret) (tinc.conf line 5), NextConnection"],
            Describe(Options.Reread!()));
    }

    [Theory]
    [InlineData("tinc.conf", "Name = a\nConnectTo = c\nMode = x\n", "Invalid routing mode \"x\" for configuration variable Mode in tinc.conf line 3")]
    [InlineData("tinc.conf", "Name = a\nConnectTo\n", "No value for variable `ConnectTo' on line 2 while reading config file tinc.conf")]
    [InlineData("conf.d/x.conf", "Port\n", "No value for variable `Port' on line 1 while reading config file conf.d/x.conf")]
    [InlineData("hosts/a", "Subnet = 10.0.0.1/8\n", "Network address and prefix length do not match for configuration variable Subnet in hosts/a line 1")]
    [InlineData("hosts/a", "Subnet\n", "No value for variable `Subnet' on line 1 while reading config file hosts/a")]
    [InlineData("hosts/b", "Address\n", "No value for variable `Address' on line 1 while reading config file hosts/b")]
    [InlineData("hosts/b", "Address = b\n-----BEGIN RSA PUBLIC KEY-----\nAAAA\n-----END RSA PUBLIC KEY-----\n", "No usable RSA public key for b in hosts/b")]
    [InlineData("hosts/b", "Ed25519PublicKey = xyz\n", "Invalid Ed25519PublicKey for b in hosts/b line 1")]
    [InlineData("hosts/new", "Address\n", "No value for variable `Address' on line 1 while reading config file hosts/new")]
    public void A_broken_file_is_refused_with_all_others_and_mended_it_is_taken(string file, string text, string error)
    {
        string? before = File.Exists(_fixture.Net[file]) ? File.ReadAllText(_fixture.Net[file]) : null;
        _fixture.Net.Write("hosts/c", $"{LoaderFixture.PublicPem}\n");
        _fixture.Net.Write(file, text);
        ConfigurationReading reading = Options.Reread!();
        Assert.Null(reading.Options);
        Assert.Contains(reading.Errors, line => line.Replace(_fixture.Net.Root + "/", "", StringComparison.Ordinal).StartsWith(error, StringComparison.Ordinal));

        if (before is null)
            File.Delete(_fixture.Net[file]);
        else
            _fixture.Net.Write(file, before);
        reading = Options.Reread();
        Assert.Empty(reading.Errors);
        Assert.Equal("c", Assert.Single(reading.Hosts).Node);
    }

    [Fact]
    public void All_errors_are_told_not_only_the_first()
    {
        _fixture.Net.Write("tinc.conf", "Name = a\nMode = x\nBroadcast = y\n");
        Assert.Equal(2, Options.Reread!().Errors.Count);
    }

    [Fact]
    public void A_host_file_that_was_broken_at_the_start_does_not_stand_against_other_changes()
    {
        _fixture.Net.Write("hosts/c", "Address\n");
        DaemonOptions options = _fixture.Load()!;
        _fixture.Net.Write("tinc.conf", "Name = a\nConnectTo = b\nPingInterval = 30\n");
        ConfigurationReading reading = options.Reread!();
        Assert.Empty(reading.Errors);
        Assert.Single(reading.Variables);
    }

    [Fact]
    public void A_directory_of_host_files_that_is_gone_or_closed_is_an_error_not_the_end_of_all_connections()
    {
        Directory.Move(_fixture.Net["hosts"], _fixture.Net["elsewhere"]);
        Assert.StartsWith("Cannot open config file ", Options.Reread!().Errors[0], StringComparison.Ordinal); // the own host file
    }

    [Fact]
    public void A_reading_keeps_the_keys_and_writes_nothing()
    {
        File.Delete(_fixture.Net["rsa_key.priv"]);
        Directory.Delete(_fixture.Net["fastmesh"], recursive: true);
        ConfigurationReading reading = Options.Reread!();
        Assert.Same(Options.Mesh.Key, reading.Options!.Mesh.Key);
        Assert.Same(Options.Mesh.Identity, reading.Options.Mesh.Identity);
        Assert.False(Directory.Exists(_fixture.Net["fastmesh"]));
    }

    [Fact]
    public void The_invitation_key_is_read_anew_only_when_the_reading_is_accepted()
    {
        _fixture.Net.Write("invitations/ed25519_key.priv", Engine.Crypto.Ed25519Identity.Generate(new Engine.Crypto.SystemRandom()).ToPem());
        ConfigurationReading reading = Options.Reread!();
        Assert.Null(Options.Mesh.Invitations!.Key);
        reading.Accept();
        Assert.NotNull(Options.Mesh.Invitations.Key);
    }

    [Fact]
    public void A_plan_in_JSON_is_as_its_schema_says()
    {
        _fixture.Net.Write("tinc.conf", "Name = a\nPingInterval = 30\nMode = hub\nTCPOnly = yes\nReplayWindow = 8\nXyzzy = 1\n");
        _fixture.Net.Write("hosts/c", "");
        ConfigurationReading reading = Options.Reread!();
        Assert.Equal(5, reading.Variables.Select(change => change.Effect).Distinct().Count());
        ReloadPlan plan = new()
        {
            Node = "a",
            Result = ReloadResult.Changes,
            Warnings = reading.Warnings,
            Variables = reading.Variables,
            Hosts = reading.Hosts,
            Connections = [.. Enum.GetValues<ConnectionStep>().Select(step => new ConnectionChange("b", step, "reason", ["c"]))],
            Subnets = [new("a", "10.0.0.0/8#10", Announced: true)],
        };
        JsonSchemaCheck.Validate("reload.json", plan.ToJson());
    }

    /// <summary>One other value than the default for every variable of the server that reaches the settings of the mesh.</summary>
    public static TheoryData<string, string> Values() => new()
    {
        { "AddressFamily", "ipv6" },
        { "AutoConnect", "yes" },
        { "Broadcast", "direct" },
        { "BroadcastSubnet", "10.9.0.0/16" },
        { "Cipher", "aes-128-cbc" },
        { "ClampMSS", "no" },
        { "Compression", "3" },
        { "ConnectTo", "c" },
        { "DecrementTTL", "yes" },
        { "DeviceStandby", "yes" },
        { "Digest", "sha1" },
        { "DirectOnly", "yes" },
        { "Forwarding", "off" },
        { "DisableBuggyPeers", "yes" },
        { "GraphDumpFile", "g" },
        { "Ifconfig", "10.1.0.1/24" },
        { "IndirectData", "yes" },
        { "InterfaceMTU", "1400" },
        { "KeyExpire", "7" },
        { "LegacyProtocol", "no" },
        { "LocalDiscovery", "no" },
        { "LogLevel", "3" },
        { "MACExpire", "7" },
        { "MACLength", "8" },
        { "MaxConnectionBurst", "7" },
        { "MaxOutputBufferSize", "7" },
        { "MaxTimeout", "7" },
        { "MinTimeout", "7" },
        { "Mode", "switch" },
        { "MTUInfoInterval", "7" },
        { "PingInterval", "7" },
        { "PingTimeout", "3" },
        { "PMTU", "1400" },
        { "PMTUDiscovery", "no" },
        { "Port", "7" },
        { "PriorityInheritance", "yes" },
        { "Proxy", "socks4 a 1" },
        { "ReplayWindow", "7" },
        { "Route", "10.9.0.0/16" },
        { "ScriptsExtension", ".x" },
        { "ScriptsInterpreter", "/bin/x" },
        { "SpeedTest", "no" },
        { "StrictSubnets", "yes" },
        { "Subnet", "10.0.0.0/8" },
        { "TCPOnly", "yes" },
        { "TunnelServer", "yes" },
        { "UDPDiscovery", "no" },
        { "UDPDiscoveryInterval", "7" },
        { "UDPDiscoveryKeepaliveInterval", "7" },
        { "UDPDiscoveryTimeout", "7" },
        { "UDPInfoInterval", "7" },
    };

    [Theory, MemberData(nameof(Values))]
    public void The_schema_tells_truly_whether_a_reload_takes_a_variable_over(string variable, string value)
    {
        _fixture.Net.Write("tinc.conf", $"Name = a\nConnectTo = b\n{(variable == "PingInterval" ? "" : "PingInterval = 60\n")}{variable} = {value}\n");
        ConfigurationReading reading = Options.Reread!();
        Assert.Empty(reading.Errors);
        VariableChange change = Assert.Single(reading.Variables);
        DaemonOptions next = reading.Options!;
        bool taken = Differs(Options.Mesh, next.Mesh.AfterReloadOf(Options.Mesh)) || !Options.Interface.SequenceEqual(next.Interface)
            || (Options.ScriptsExtension, Options.ScriptsInterpreter, Options.DebugLevel) != (next.ScriptsExtension, next.ScriptsInterpreter, next.DebugLevel);
        Assert.Equal((variable, taken), (change.Variable, change.Effect is not (ChangeEffect.Restart or ChangeEffect.None)));
    }

    [Fact]
    public void Every_variable_of_the_server_that_a_reload_takes_over_is_in_the_list_above()
    {
        string[] elsewhere = ["InvitationExpire"]; // in the invitation book
        Assert.Equal(
            [],
            ConfigSchema.Variables
                .Where(v => v.Scope.HasFlag(ConfigScope.Server) && v.Support == ConfigSupport.Built && (v.OwnReload ?? v.Reload) != ConfigReload.Start)
                .Select(v => v.Name).Except(elsewhere).Except(Values().Select(row => (string)row[0])));
    }

    private static bool Differs(MeshSettings one, MeshSettings other) => typeof(MeshSettings).GetProperties(BindingFlags.Public | BindingFlags.Instance)
        .Any(property => (property.GetValue(one), property.GetValue(other)) switch
        {
            (IEnumerable left and not string, IEnumerable right) => !left.Cast<object>().SequenceEqual(right.Cast<object>()),
            var (left, right) => !Equals(left, right),
        });

    private string[] Describe(ConfigurationReading reading)
    {
        Assert.Empty(reading.Errors);
        return [.. reading.Variables.Select(change => $"{(change.Host is null ? "" : $"{change.Host}.")}{change.Variable}: {Describe(change.Old)} -> {Describe(change.New)}, {change.Effect}")];
    }

    private string Describe(PlacedValue? value) => value is null ? "" : $"{value.Text} ({value.Place.Replace(_fixture.Net.Root + "/", "", StringComparison.Ordinal)})";
}
