using FastMesh.Cli.Config;
using FastMesh.Engine.Protocol;

namespace FastMesh.Cli.Tests.Config;

/// <summary>Host files of other nodes (tinc 1.0 reference, 2.3 and 2.4, scope P).</summary>
public sealed class PeerDirectoryTests : IDisposable
{
    private readonly LoaderFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void A_host_file_gives_addresses_key_and_options()
    {
        _fixture.Net.Write("hosts/b", $"""
            Address = b.example.org
            Address = 192.0.2.1 700
            Port = 656
            Subnet = 10.1.0.0/16
            Subnet = 10.1.0.1/16
            IndirectData = yes
            ClampMSS = no
            PMTU = 1400
            Weight = 7
            {LoaderFixture.PublicPem}

            """);
        PeerSettings peer = Read("b")!;
        Assert.Equal([new("b.example.org", "656"), new("192.0.2.1", "700")], peer.Addresses);
        Assert.Equal((512, true, false, false, 1400, 7), (peer.PublicKey!.ModulusBits, peer.IndirectData, peer.TcpOnly, peer.ClampMss!.Value, peer.Pmtu!.Value, peer.Weight!.Value));
        Assert.Equal(["10.1.0.0/16#10"], peer.Subnets.Select(s => s.ToString()));
        Assert.StartsWith("Network address and prefix length do not match for configuration variable Subnet in hosts/b line 5", Assert.Single(_fixture.Messages));
    }

    [Fact]
    public void Defaults_of_an_empty_file()
    {
        _fixture.Net.Write("hosts/b", "Address = x\n");
        PeerSettings peer = Read("b")!;
        Assert.Equal([new("x", "655")], peer.Addresses);
        Assert.Null(peer.PublicKey ?? (object?)peer.ClampMss ?? peer.Pmtu ?? (object?)peer.Weight);
        Assert.StartsWith("No usable RSA public key for b in hosts/b: ", Assert.Single(_fixture.Messages));
    }

    [Fact]
    public void Options_for_the_host_come_first_and_a_warning_comes_once()
    {
        _fixture.Net.Write("hosts/b", $"Address = x\nWieght = 3\n{LoaderFixture.PublicPem}");
        IPeerDirectory peers = _fixture.Load("-o", "b.Address=y 1", "-o", "Address=z", "-o", "B.Address=z")!.Peers;
        for (int i = 0; i < 2; i++)
        {
            Assert.True(peers.TryRead("b", out PeerSettings? peer));
            Assert.Equal([new("y", "1"), new("x", "655")], peer.Addresses);
        }

        Assert.Equal(["Unknown variable Wieght (hosts/b line 2) ignored; did you mean Weight?"], _fixture.Messages);
    }

    [Fact]
    public void A_disabled_key_is_passed_over()
    {
        _fixture.Net.Write("hosts/b", $"{LoaderFixture.PublicPem.Replace("RSA", "OLD")}\n{LoaderFixture.PublicPem}\n");
        Assert.Equal(512, Read("b")!.PublicKey!.ModulusBits);
    }

    [Fact]
    public void A_key_in_a_file_of_its_own_may_be_named_relative_to_the_directory()
    {
        _fixture.Net.Write("keys/b.pub", LoaderFixture.PublicPem);
        _fixture.Net.Write("hosts/b", "PublicKeyFile = keys/b.pub\n");
        Assert.Equal(512, Read("b")!.PublicKey!.ModulusBits);
    }

    [Theory]
    [InlineData("c", "1", 768)]
    [InlineData("c", "x", null)]
    [InlineData("7", "1", null)] // 767 bits
    [InlineData("0", "0", null)]
    public void A_key_in_hex_wins_over_a_block(string first, string last, int? bits)
    {
        _fixture.Net.Write("hosts/b", $"PublicKey = {first}{new string(first[0], 190)}{last}\n{LoaderFixture.PublicPem}\n");
        Assert.Equal(bits, Read("b")!.PublicKey?.ModulusBits);
    }

    [Fact]
    public void A_missing_or_broken_file_makes_the_peer_unknown()
    {
        _fixture.Net.Write("hosts/broken", "Address = x\nPort\n");
        Assert.Null(Read("missing"));
        Assert.Null(Read("broken"));
        Assert.Null(Read("../tinc.conf"));
        Assert.Equal("Cannot open config file hosts/missing: No such file or directory", _fixture.Messages[0]);
        Assert.StartsWith("No value for variable `Port' on line 2 while reading config file hosts/broken", _fixture.Messages[1]);
        Assert.Equal(2, _fixture.Messages.Length);
    }

    [Fact]
    public void Names_are_the_files_that_can_be_nodes()
    {
        foreach (string name in new[] { "c", "b", "b-up", "b.bak", ".x", "B" })
            _fixture.Net.Write($"hosts/{name}", "");
        Assert.Equal(["B", "a", "b", "c"], _fixture.Load()!.Peers.Names);
    }

    private PeerSettings? Read(string name)
    {
        new PeerDirectory(new ConfigDirectory(_fixture.Net.Root, []), _fixture.Log).TryRead(name, out PeerSettings? peer);
        return peer;
    }
}
