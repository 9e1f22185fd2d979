using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Cli.Tests.Config;

/// <summary>The addresses at which other nodes were reached, and their files (tinc 1.1 reference, 9.2).</summary>
public sealed class KnownAddressTests : IDisposable
{
    private static readonly Endpoint s_four = Read("192.0.2.1", "655"), s_six = Read("2001:db8::1", "7000");

    private readonly LoaderFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Fact]
    public void They_outlive_the_process_in_their_order()
    {
        Load().Keep("b", [s_four]);
        Load().Keep("b", [s_six, s_four]);
        Load().Keep("c", [s_four]);
        Assert.Equal([s_six, s_four], Load().Find("b"));
        Assert.Equal([s_four], Load().Find("c"));
        Assert.Empty(Load().Find("d"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(_fixture.Net["fastmesh/addresses/b"]));
        Assert.EndsWith("\nAddress = 2001:db8::1 7000\nAddress = 192.0.2.1 655\n", _fixture.Net.Read("fastmesh/addresses/b"));
        Assert.Equal(["b", "c"], Directory.GetFileSystemEntries(_fixture.Net["fastmesh/addresses"]).Select(path => Path.GetFileName(path)).Order());
    }

    [Fact]
    public void What_others_wrote_there_is_passed_over()
    {
        Load().Keep("b", [s_four]);
        _fixture.Net.Write("fastmesh/addresses/c", "\x01\0\0\0\x08\0\0\0\x02\0\n");
        _fixture.Net.Write("fastmesh/addresses/d", "Address = host.example.org 655\nPort = 5\nAddress = 192.0.2.1\nAddress = 2001:db8::1 7000\n");
        _fixture.Net.Write("fastmesh/addresses/b.tmp", "Address = 192.0.2.9 655\n");
        _fixture.Net.Write("fastmesh/addresses/e", "");
        IKnownAddresses addresses = Load();
        Assert.Equal([s_four], addresses.Find("b"));
        Assert.Equal([s_six], addresses.Find("d"));
        Assert.Empty(addresses.Find("c").Concat(addresses.Find("e")).Concat(addresses.Find("b.tmp")));
        Assert.Empty(_fixture.Messages);
    }

    [Fact]
    public void The_cache_of_tinc_11_stays_as_it_was()
    {
        _fixture.Net.Write("cache/b", "whatever tincd wrote");
        Load().Keep("b", [s_four]);
        Assert.Equal("whatever tincd wrote", _fixture.Net.Read("cache/b"));
        Assert.Single(Directory.GetFiles(_fixture.Net["cache"]));
    }

    [Fact]
    public void A_directory_that_cannot_be_written_costs_one_warning_and_nothing_else()
    {
        IKnownAddresses addresses = Load();
        Directory.Delete(_fixture.Net["fastmesh"], recursive: true);
        _fixture.Net.Write("fastmesh", "a file in the way\n");
        addresses.Keep("b", [s_four]);
        addresses.Keep("c", [s_six]);
        Assert.Equal((s_four, s_six), (addresses.Find("b")[0], addresses.Find("c")[0]));
        Assert.StartsWith("Could not write fastmesh/addresses/b: ", Assert.Single(_fixture.Messages));
    }

    [Theory]
    [InlineData("../a")]
    [InlineData("")]
    public void Only_names_of_nodes_become_files(string name)
    {
        Load().Keep(name, [s_four]);
        Assert.False(Directory.Exists(_fixture.Net["fastmesh/addresses"]));
    }

    private IKnownAddresses Load() => _fixture.Load()!.Mesh.KnownAddresses;

    private static Endpoint Read(string address, string port)
    {
        Assert.True(Endpoint.TryParse(address, port, out Endpoint endpoint));
        return endpoint;
    }
}
