using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>-K: where keys go, how old ones are disabled, and that the other program accepts them.</summary>
public sealed class KeyGenerationTests
{
    [SkippableTheory]
    [InlineData(Programs.FastMesh, Programs.Tincd, 2048)]
    [InlineData(Programs.Tincd, Programs.FastMesh, 2048)]
    [InlineData(Programs.FastMesh, Programs.Tincd, 4096)]
    public void Keys_made_by_one_program_connect_nodes_of_both(string maker, string user, int bits)
    {
        using TestNetwork network = new();
        MeshNode alpha = network.AddNode("alpha", user), beta = network.AddNode("beta", maker);
        alpha.ConnectTo(beta);
        foreach (MeshNode node in network.Nodes)
        {
            Generate(node, maker, bits);
            node.Keys = new(File.ReadAllText(Path.Combine(node.Directory, "rsa_key.priv")), File.ReadAllText(Path.Combine(node.Directory, "hosts", node.Name)));
            Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(node.Directory, "rsa_key.priv")));
        }

        network.Start();
        network.Until(() => alpha.Host.CanPing(beta.Inner), "a ping with generated keys");
    }

    [SkippableTheory, InlineData(Programs.FastMesh), InlineData(Programs.Tincd)]
    public void Files_and_messages_are_the_references(string kind)
    {
        using TestNetwork network = new();
        MeshNode node = network.AddNode("maker", kind);
        node.WriteFile("hosts/maker", "Address = 192.0.2.77\nSubnet = 10.0.0.0/8\n");
        ShellResult first = Generate(node, kind, 1024), second = Generate(node, kind, 1024);
        Assert.Contains("Generating 1024 bits keys:", first.Error, StringComparison.Ordinal);
        Assert.Empty(first.Output);
        Assert.Matches("(?i)old.*(key|found).*disabled", second.Error);

        string host = File.ReadAllText(Path.Combine(node.Directory, "hosts/maker"));
        string priv = File.ReadAllText(Path.Combine(node.Directory, "rsa_key.priv"));
        Assert.StartsWith("Address = 192.0.2.77\nSubnet = 10.0.0.0/8\n\n-----BEGIN OLD PUBLIC KEY-----\n", host, StringComparison.Ordinal);
        Assert.Contains("-----END OLD PUBLIC KEY-----\n\n-----BEGIN RSA PUBLIC KEY-----\n", host, StringComparison.Ordinal);
        Assert.StartsWith("\n-----BEGIN OLD PRIVATE KEY-----\n", priv, StringComparison.Ordinal);
        Assert.EndsWith("-----END RSA PRIVATE KEY-----\n", priv, StringComparison.Ordinal);
    }

    [SkippableTheory, InlineData(Programs.FastMesh), InlineData(Programs.Tincd)]
    public void Without_a_configuration_the_public_key_goes_to_a_file_of_its_own(string kind)
    {
        using TestNetwork network = new();
        MeshNode node = network.AddNode("maker", kind);
        Assert.Equal(0, Shell.Try([.. node.Command, "-K1024"]).ExitCode);
        Assert.Contains("BEGIN RSA PUBLIC KEY", File.ReadAllText(Path.Combine(node.Directory, "rsa_key.pub")), StringComparison.Ordinal);
        Assert.Empty(Directory.GetFiles(Path.Combine(node.Directory, "hosts")));
    }

    private static ShellResult Generate(MeshNode node, string kind, int bits)
    {
        node.WriteFile("tinc.conf", $"Name = {node.Name}\n");
        ShellResult result = Shell.Try(Programs.PathOf(kind), "-c", node.Directory, "-K", $"{bits}");
        Assert.True(result.ExitCode == 0, result.Error);
        return result;
    }
}
