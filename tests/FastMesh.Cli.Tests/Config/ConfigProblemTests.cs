namespace FastMesh.Cli.Tests.Config;

/// <summary>What stops a start and what does not; where tincd has words for it, the message begins with them.</summary>
public class ConfigProblemTests
{
    [Theory]
    [InlineData("AddressFamily = x", "Invalid address family \"x\" for configuration variable AddressFamily in tinc.conf line 2; it is one of ipv4, ipv6, any")]
    [InlineData("Mode = foo", "Invalid routing mode \"foo\" for configuration variable Mode in tinc.conf line 2; it is one of router, switch, hub")]
    [InlineData("Forwarding = foo", "Invalid forwarding mode")]
    [InlineData("Broadcast = foo", "Invalid broadcast mode")]
    [InlineData("ProcessPriority = foo", "Invalid priority")]
    [InlineData("DeviceType = foo", "Invalid device type")]
    [InlineData("DeviceType = vde", "DeviceType vde is not supported")]
    [InlineData("DeviceType = UML", "DeviceType UML is not supported")]
    [InlineData("DeviceType = multicast", "Device variable required")]
    [InlineData("Compression = 13", "Bogus compression level 13")]
    [InlineData("Compression = -1", "Bogus compression level -1")]
    [InlineData("MACLength = -1", "Bogus value -1 for configuration variable MACLength in tinc.conf line 2")]
    [InlineData("MACLength = 33", "MAC length exceeds size of digest")]
    [InlineData("Cipher = foo", "Unrecognized cipher type \"foo\"")]
    [InlineData("Digest = foo", "Unrecognized digest type \"foo\"")]
    [InlineData("MaxTimeout = 0", "Bogus value 0 for configuration variable MaxTimeout")]
    [InlineData("MinTimeout = -1", "Bogus value -1 for configuration variable MinTimeout")]
    [InlineData("ReplayWindow = -1", "Bogus value -1 for configuration variable ReplayWindow")]
    [InlineData("UDPRcvBuf = -1", "Bogus value -1 for configuration variable UDPRcvBuf")]
    [InlineData("UDPSndBuf = -1", "Bogus value -1 for configuration variable UDPSndBuf")]
    [InlineData("MaxConnectionBurst = 0", "Bogus value 0 for configuration variable MaxConnectionBurst")]
    [InlineData("Sandbox = high", "Invalid sandbox level \"high\" for configuration variable Sandbox in tinc.conf line 2")]
    [InlineData("Port = 655 # x", "Invalid port \"655 # x\"")]
    [InlineData("Port = 65536", "Invalid port \"65536\"")]
    [InlineData("Subnet = foo", "Subnet expected for configuration variable Subnet in tinc.conf line 2")]
    [InlineData("Subnet = 10.0.0.0/33", "Subnet expected for configuration variable Subnet in tinc.conf line 2")]
    [InlineData("Subnet = 10.0.0.1/8", "Network address and prefix length do not match for configuration variable Subnet in tinc.conf line 2")]
    [InlineData("Proxy = foo", "Invalid proxy type \"foo\"")]
    [InlineData("Proxy = socks5", "Host and port argument expected for proxy!")]
    [InlineData("Proxy = socks5 host", "Host and port argument expected for proxy!")]
    [InlineData("Proxy = socks5  host 1", "Host and port argument expected for proxy!")]
    [InlineData("Proxy = exec", "Argument expected for proxy type exec!")]
    [InlineData("MetricsAddress = localhost:9655", "Invalid address \"localhost:9655\" for configuration variable MetricsAddress in tinc.conf line 2; write 127.0.0.1:9655, [::1]:9655 or unix:/PATH")]
    [InlineData("MetricsAddress = 9655", "Invalid address \"9655\"")]
    [InlineData("PrivateKeyFile = /nonexistent", "Error reading RSA private key file `/nonexistent': No such file or directory")]
    [InlineData("PrivateKeyFile = empty", "Reading RSA private key file `empty' failed")]
    [InlineData("PrivateKey = 12", "PrivateKey used but no PublicKey found!")]
    [InlineData("PrivateKey = zz\nPublicKey = 12", "Invalid PrivateKey for myself!")]
    [InlineData("PrivateKey = 1\nPublicKey = 1", "Invalid PrivateKey for myself!")]
    [InlineData("ConnectTo", "No value for variable `ConnectTo' on line 2 while reading config file tinc.conf")]
    [InlineData("=", "No value for variable `' on line 2 while reading config file tinc.conf")]
    public void Errors_stop_the_start_and_say_where_and_why(string server, string expected)
    {
        using LoaderFixture fixture = new(server);
        fixture.Net.Write("empty", "", UnixFileMode.UserRead);
        Assert.Null(fixture.Load());
        Assert.StartsWith(expected, Assert.Single(fixture.Messages));
    }

    [Theory]
    [InlineData("PingInterval = x", "Integer expected for configuration variable PingInterval in tinc.conf line 2")]
    [InlineData("TCPOnly = maybe", "\"yes\" or \"no\" expected for configuration variable TCPOnly in tinc.conf line 2")]
    [InlineData("ConnectTo = a-b", "Invalid name for outgoing connection in tinc.conf line 2")]
    [InlineData("ConnectTo = a", "ConnectTo names this node itself in tinc.conf line 2")]
    [InlineData(" Mode = switch", "The line \"Mode = switch\" (tinc.conf line 2) has no variable name")]
    [InlineData("Tport = 5", "Unknown variable Tport (tinc.conf line 2) ignored; did you mean Port?")]
    [InlineData("vdeport = 1", "Variable VDEPort (tinc.conf line 2) is known but not built yet; ignored")]
    public void Warnings_do_not(string server, string expected)
    {
        using LoaderFixture fixture = new(server);
        Assert.NotNull(fixture.Load());
        Assert.StartsWith(expected, Assert.Single(fixture.Messages));
    }

    [Fact]
    public void Every_error_is_reported_not_only_the_first()
    {
        using LoaderFixture fixture = new("Mode = x\nCipher = x\nSubnet = x\n");
        Assert.Null(fixture.Load());
        Assert.Equal(3, fixture.Messages.Length);
    }

    [Fact]
    public void A_missing_own_host_file_is_only_worth_a_warning()
    {
        using LoaderFixture fixture = new(host: null);
        Assert.NotNull(fixture.Load());
        Assert.Equal(["Cannot open config file hosts/a: No such file or directory"], fixture.Messages);
    }

    [Fact]
    public void An_error_in_the_own_host_file_keeps_the_lines_before_it()
    {
        using LoaderFixture fixture = new(host: "Port = 700\nSubnet\nCompression = 9\n");
        var mesh = fixture.Load()!.Mesh;
        Assert.Equal(("700", 0), (mesh.Port, mesh.Suite.Compression));
        Assert.StartsWith("No value for variable `Subnet' on line 2 while reading config file hosts/a", Assert.Single(fixture.Messages));
    }

    [Fact]
    public void A_subnet_with_host_bits_in_the_own_host_file_is_fatal()
    {
        using LoaderFixture fixture = new(host: "Subnet = 10.0.0.1/8\n");
        Assert.Null(fixture.Load());
        Assert.StartsWith("Network address and prefix length do not match for configuration variable Subnet in hosts/a line 1", fixture.Messages[0]);
    }

    [Fact]
    public void A_private_key_that_others_may_read_is_used_with_a_warning()
    {
        using LoaderFixture fixture = new();
        File.SetUnixFileMode(fixture.Net["rsa_key.priv"], UnixFileMode.UserRead | UnixFileMode.GroupRead);
        Assert.NotNull(fixture.Load());
        Assert.StartsWith("Warning: insecure file permissions for RSA private key file `rsa_key.priv'!", Assert.Single(fixture.Messages));
    }

    [Fact]
    public void Without_a_directory_the_missing_file_is_named()
    {
        using LoaderFixture fixture = new();
        File.Delete(fixture.Net["tinc.conf"]);
        Assert.Null(fixture.Load());
        Assert.Equal(["Cannot open config file tinc.conf: No such file or directory"], fixture.Messages);
    }
}
