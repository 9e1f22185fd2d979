using FastMesh.Cli.Config;

namespace FastMesh.Cli.Tests.Check;

/// <summary>Small directories with one thing wrong each, and what is said about it.</summary>
public class ConfigCheckTests
{
    private const UnixFileMode GroupWritable = (UnixFileMode)0b110_110_100, Script = (UnixFileMode)0b111_101_101;

    [Fact]
    public void Nothing_is_found_where_nothing_is_wrong()
    {
        using CheckFixture fixture = new();
        fixture.WriteHost("b", "Address = 192.0.2.1\nSubnet = 10.1.0.0/16\n");
        Assert.Empty(fixture.Find());
    }

    [Theory]
    [InlineData("Mode = x", "tinc.conf:3: error: Invalid routing mode \"x\" for configuration variable Mode.")]
    [InlineData("Mode", "tinc.conf:3: error: No value for variable `Mode'.")]
    [InlineData("PrivateKeyFile = /nonexistent", "/nonexistent: error: Error reading RSA private key file `/nonexistent': No such file or directory; -K makes a key.")]
    [InlineData("DeviceType = tun", "tinc.conf:3: warning: DeviceType is set again and ignored: tinc.conf line 2 counts.")]
    [InlineData("Tport = 5", "tinc.conf:3: warning: Unknown variable Tport ignored; did you mean Port?")]
    [InlineData("VDEPort = 1", "tinc.conf:3: warning: Variable VDEPort is known but not built yet; ignored.")]
    [InlineData("AutoConnect = 1", "tinc.conf:3: warning: \"yes\" or \"no\" expected for configuration variable AutoConnect, not \"1\"; ignored.")]
    [InlineData("PingInterval = x", "tinc.conf:3: warning: Integer expected for configuration variable PingInterval, not \"x\"; ignored.")]
    [InlineData("LogLevel = x", "tinc.conf:3: warning: Integer expected for configuration variable LogLevel, not \"x\"; ignored.")]
    [InlineData("InvitationExpire = x", "tinc.conf:3: warning: Integer expected for configuration variable InvitationExpire, not \"x\"; ignored.")]
    [InlineData("PingInterval = 60 # seconds", "tinc.conf:3: warning: Of PingInterval = 60 # seconds only 60 counts.")]
    [InlineData("PingTimeout = 61", "tinc.conf:3: warning: PingTimeout = 61 is not between 1 and PingInterval, which counts instead.")]
    [InlineData("Weight = 5", "tinc.conf:3: warning: Weight has no effect here.")]
    [InlineData("MACExpire = 5", "tinc.conf:3: note: MACExpire has an effect with Mode = switch only.")]
    [InlineData("LegacyProtocol = no\nDigest = sha512", "tinc.conf:4: note: Digest has no effect with LegacyProtocol = no.")]
    [InlineData("ConnectTo = b", "tinc.conf:3: warning: There is no host file of b, so it cannot be dialled.")]
    [InlineData("Cipher = none", "tinc.conf:3: warning: Packets from nodes of tinc 1.0 are not encrypted.")]
    [InlineData("Cipher = des-ede3-cbc", "tinc.conf:3: warning: The cipher des-ede3-cbc is weak: its blocks have 64 bits only.")]
    [InlineData("Cipher = aes-128-ecb", "tinc.conf:3: warning: The cipher aes-128-ecb is weak: equal blocks show.")]
    [InlineData("Cipher = aes-256-gcm", "tinc.conf:3: warning: No packet can be encrypted with aes-256-gcm: those from nodes of tinc 1.0 all go by TCP.")]
    [InlineData("Digest = none", "tinc.conf:3: warning: Packets from nodes of tinc 1.0 are not authenticated.")]
    [InlineData("Digest = md5", "tinc.conf:3: warning: The digest md5 is broken.")]
    [InlineData("MACLength = 3", "tinc.conf:3: warning: With 3 bytes of MAC, packets from nodes of tinc 1.0 are easily forged.")]
    [InlineData("Subnet = 2:3:4:5:6:7", "tinc.conf:3: warning: A MAC address has no effect as Subnet with Mode = router.")]
    [InlineData("Mode = switch\nSubnet = 10.0.0.0/8", "tinc.conf:4: note: Subnet 10.0.0.0/8 has no effect with Mode = switch.")]
    [InlineData("DeviceType = fd\nDevice = /run/x", ".: error: Could not use device /run/x: a descriptor number is needed.", "hosts/a")]
    public void A_line_of_the_server(string lines, string expected, string file = "tinc.conf")
    {
        using CheckFixture fixture = new(lines + "\n");
        if (file == "hosts/a")
            fixture.Net.Write("tinc.conf", $"Name = a\n{lines}\n");
        Assert.Equal([expected], fixture.Find());
    }

    [Theory]
    [InlineData("Foo = 1", "hosts/b:1: warning: Unknown variable Foo ignored.")]
    [InlineData("Subnet", "hosts/b:1: warning: No value for variable `Subnet'.")]
    [InlineData("Subnet = 10.0.0.1/8", "hosts/b:1: warning: Network address and prefix length do not match for configuration variable Subnet: bits after the prefix of 10.0.0.1/8 must be zero; ignored.")]
    [InlineData("Ed25519PublicKey = x", "hosts/b:1: warning: Invalid Ed25519PublicKey for b: it has 43 characters of base64.")]
    [InlineData("PublicKeyFile = /nonexistent", "/nonexistent: warning: No usable RSA public key for b: No such file or directory.")]
    [InlineData("ConnectTo = a", "hosts/b:1: note: ConnectTo has no effect in the host file of another node.")]
    [InlineData("Port = 1\nPort = 2", "hosts/b:2: warning: Port is set again and ignored: hosts/b line 1 counts.")]
    [InlineData("Address = x\nAddress = x", "hosts/b:2: note: Address = x is there already: hosts/b line 1.")]
    [InlineData("Subnet = 10.2.0.0/16", "hosts/b:1: warning: Subnet 10.2.0.0/16 is a's too, with the same weight (hosts/a line 1).")]
    [InlineData("Subnet = 10.2.0.0/16#20", "hosts/b:1: note: Subnet 10.2.0.0/16 is a's too, with another weight (hosts/a line 1).")]
    [InlineData("Subnet = 10.2.3.0/24", "hosts/b:1: note: Subnet 10.2.3.0/24 lies in 10.2.0.0/16 of a (hosts/a line 1).")]
    [InlineData("Subnet = 10.0.0.0/8", "hosts/a:1: note: Subnet 10.2.0.0/16 lies in 10.0.0.0/8 of b (hosts/b line 1).")]
    public void A_line_of_another_node(string lines, string expected)
    {
        using CheckFixture fixture = new(host: "Subnet = 10.2.0.0/16\n");
        fixture.WriteHost("b", lines);
        Assert.Equal([expected], fixture.Find());
    }

    [Theory]
    [InlineData("Subnet = 0.0.0.0/0")]
    [InlineData("Subnet = 10.3.0.0/16")]
    [InlineData("Subnet = 10.2::/16")]
    [InlineData("Cipher = aes-128-cbc\nDigest = sha1")]
    public void Lines_of_another_node_about_which_there_is_nothing_to_say(string lines)
    {
        using CheckFixture fixture = new(host: "Subnet = 10.2.0.0/16\n");
        fixture.WriteHost("b", lines.Replace("10.2::", "1020::", StringComparison.Ordinal));
        Assert.Empty(fixture.Find());
    }

    [Theory]
    [InlineData("hosts/b-c", "x", "hosts/b-c: warning: Not read: names of nodes have letters, digits and underscores only.")]
    [InlineData("hosts/b.orig", "x", "hosts/b.orig: note: Not read: names of nodes have letters, digits and underscores only.")]
    [InlineData("hosts/b-up", "#!/bin/sh\n", "hosts/b-up: note: Runs for the node b, which has no host file.")]
    [InlineData("conf.d/x.cnf", "x", "conf.d/x.cnf: note: Not read: names of files in conf.d end in .conf.")]
    [InlineData("conf.d/x.conf", "Mode", "conf.d/x.conf:1: error: No value for variable `Mode'.")]
    [InlineData("host-up", "", "host-up: note: No interpreter in the first line: it is run by sh.")]
    [InlineData("host-up", "#!/bin/sh\r\n", "host-up: warning: Its lines end with carriage returns, so that its interpreter is not found.")]
    [InlineData("host-up", "#! /nonexistent -x\n", "host-up: warning: Its interpreter /nonexistent does not exist.")]
    [InlineData("host-up.sh", "#!/bin/sh\n", "host-up.sh: note: Never run: the script is called host-up.")]
    [InlineData("fastmesh/ed25519_key.priv", "x", "fastmesh/ed25519_key.priv: error: Error reading this node's own key `fastmesh/ed25519_key.priv': it holds no block ED25519 PRIVATE KEY.")]
    public void A_file(string name, string text, string expected)
    {
        using CheckFixture fixture = new();
        fixture.Net.Write(name, text, name.EndsWith(".priv", StringComparison.Ordinal) ? AtomicFile.OwnerOnly : Script);
        Assert.Equal([expected], fixture.Find());
    }

    [Theory]
    [InlineData("tinc-up", 0b110_100_100, "tinc-up: warning: Not executable: it fails whenever it is due.")]
    [InlineData("tinc-up", 0b111_101_111, "tinc-up: warning: Everybody may write this file, and so command the daemon.")]
    [InlineData("hosts", 0b111_101_111, "hosts: warning: Everybody may write this directory, and so command the daemon.")]
    [InlineData("rsa_key.priv", 0b110_100_000, "rsa_key.priv: warning: insecure file permissions for RSA private key file `rsa_key.priv'! Only its owner should be able to read it: chmod 600.")]
    public void A_mode(string name, int mode, string expected)
    {
        using CheckFixture fixture = new();
        File.SetUnixFileMode(fixture.Net[name], (UnixFileMode)mode);
        Assert.Equal([expected], fixture.Find());
    }

    [SkippableFact]
    public void Files_of_another_user_or_group()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "needs root");
        using CheckFixture fixture = new();
        using var chown = System.Diagnostics.Process.Start("chown", ["65534:65534", fixture.Net["tinc-up"]]);
        chown.WaitForExit();
        Assert.Equal(["tinc-up: warning: This file belongs to user 65534, who so can command the daemon."], fixture.Find());
        File.SetUnixFileMode(fixture.Net["tinc-up"], Script | GroupWritable);
        Assert.Contains("tinc-up: warning: A group other than root's may write this file, and so command the daemon.", fixture.Find());
    }

    [Fact]
    public void Halves_of_the_own_keys_that_do_not_belong_together()
    {
        using CheckFixture fixture = new();
        fixture.Net.Write("ed25519_key.priv", CheckFixture.Ed25519.ToPem(), AtomicFile.OwnerOnly);
        Assert.Equal(
            ["hosts/a: warning: This node's Ed25519 public key is missing: others that have this file cannot speak protocol 17.7 with it."], fixture.Find());
        Assert.Equal([$"write Ed25519PublicKey = {CheckFixture.Ed25519.Public}"], fixture.Fixes());

        fixture.Net.Write("hosts/a", $"Ed25519PublicKey = {CheckFixture.Ed25519.Public}\n{CheckFixture.OtherPublicPem}");
        Assert.Equal(
            ["hosts/a: warning: The RSA public key is not that of this node's private key: others that have this file refuse it."], fixture.Find());

        fixture.Net.Write("hosts/a", $"Ed25519PublicKey = {new string('A', 43)}\n{CheckFixture.PublicPem}");
        Assert.Equal(
            ["hosts/a: warning: The Ed25519 public key is not that of this node's private key: others that have this file refuse it."], fixture.Find());
    }

    [Fact]
    public void Keys_that_are_too_short_or_in_the_wrong_place()
    {
        using CheckFixture fixture = new();
        fixture.Net.Write("hosts/b", CheckFixture.ShortPublicPem);
        fixture.Net.Write("hosts/c", CheckFixture.PublicPem + CheckFixture.PrivatePem);
        Assert.Equal(
            [
                "hosts/b: warning: The RSA key of b has 1024 bits only.",
                "hosts/c: warning: There is a private key in it, and host files are handed out.",
            ],
            fixture.Find());
    }

    [Fact]
    public void Nodes_to_dial_without_address_and_names_that_differ_only_in_case()
    {
        using CheckFixture fixture = new("ConnectTo = b\n");
        fixture.WriteHost("b");
        fixture.WriteHost("B");
        Assert.Equal(
            [
                "hosts/b: warning: B and b differ only in case, but are different nodes.",
                "tinc.conf:3: warning: b cannot be dialled: its host file has no Address.",
            ],
            fixture.Find());
    }

    [Theory]
    [InlineData("", "", "", true)]
    [InlineData("", "", "Address = 192.0.2.1\n", false)]
    [InlineData("AutoConnect = no\n", "", "", false)]
    [InlineData("", "Address = 192.0.2.9\n", "", false)] // others can dial it
    public void A_directory_of_tinc_11_that_relies_on_AutoConnect(string server, string own, string other, bool isLost)
    {
        using CheckFixture fixture = new(server, host: $"Ed25519PublicKey = {CheckFixture.Ed25519.Public}\n{own}");
        fixture.Net.Write("ed25519_key.priv", CheckFixture.Ed25519.ToPem(), AtomicFile.OwnerOnly);
        fixture.WriteHost("b", other);
        Assert.Equal(isLost ? ["hosts: warning: AutoConnect finds nobody to connect to: no host file has an Address."] : [], fixture.Find());
        Assert.Equal(isLost ? ["add a line such as Address = b.example.org to hosts/b"] : [], fixture.Fixes());
    }

    [Theory]
    [InlineData("a-name-that-is-too-long", "warning: The interface name is longer than 15 characters: the interface will be called a-name-that-is-.")]
    [InlineData("a b", "error: The interface name cannot be the name of an interface.")]
    [InlineData("lo", "error: The interface lo exists and is no tun or tap interface.")]
    public void A_name_of_the_interface(string name, string expected)
    {
        using CheckFixture fixture = new();
        fixture.Net.Write("tinc.conf", $"Name = a\nDevice = /dev/null\nInterface = {name}\n");
        Assert.Equal([$"tinc.conf:3: {expected}"], fixture.Find());
    }

    [Fact]
    public void All_errors_are_found_at_once_and_nothing_is_written()
    {
        using CheckFixture fixture = new("Mode = x\nSubnet = y\n");
        File.Delete(fixture.Net["rsa_key.priv"]);
        string[] errors = ["Unknown user no-such-user", "Error reading RSA private key file", "Invalid routing mode", "Subnet expected"];
        Assert.All(errors.Zip(fixture.Find("--user", "no-such-user")), pair => Assert.Contains($": error: {pair.First}", pair.Second));
        Assert.False(Path.Exists(fixture.Net["fastmesh"]));
    }

    [Fact]
    public void An_option_stands_for_the_file()
    {
        using CheckFixture fixture = new("Mode = x\n");
        Assert.Empty(fixture.Find("-o", "Mode=router"));
        Assert.Equal([".: error: Invalid routing mode \"y\" for configuration variable Mode."], fixture.Find("-o", "Mode=y"));
    }
}
