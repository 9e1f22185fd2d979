using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>Reloads of every kind, one after the other, under traffic of peers that they do not concern: not one packet of theirs is lost.</summary>
public sealed class ReloadLossTests
{
    private const int Rounds = 4;

    /// <remarks>
    /// alpha, which is reloaded, relays between beta and delta. What changes is about gamma, or about nobody.
    /// <code>
    ///   beta ──segment 0── alpha ──segment 1── delta
    ///                      gamma (segment 0)
    /// </code>
    /// </remarks>
    [SkippableTheory]
    [InlineData(Programs.FastMesh, Programs.FastMesh)]
    [InlineData(Programs.FastMesh, Programs.Tincd)]
    [InlineData(Programs.FastMesh11, Programs.Tinc11)]
    public void Peers_that_a_reload_does_not_concern_lose_no_packet(string kind, string peers)
    {
        using TestNetwork network = new();
        Skip.If(Programs.IsReferenceOnly, "tincd closes more connections");
        MeshNode alpha = network.AddNode("alpha", kind, 0, 1), beta = network.AddNode("beta", peers, 0), delta = network.AddNode("delta", peers, 1);
        MeshNode gamma = network.AddNode("gamma", Programs.Tincd, 0);
        alpha.ConnectTo(beta, gamma);
        delta.ConnectTo(alpha);
        network.Start();
        network.Until(() => beta.Host.CanPing(delta.Inner) && delta.Host.CanPing(alpha.Inner6) && alpha.Host.CanPing(gamma.Inner), "the first pings");
        foreach (MeshNode node in (MeshNode[])[beta, delta])
            alpha.WaitForUdp(node);
        network.Until(() => beta.Host.Ping(delta.Inner, count: 20).Lost == 0, "a path that has settled");

        int mark = alpha.LogMark(), reloads = 0;
        using CountedDatagrams direct = new(alpha.Host, beta.Host, beta.Inner), back = new(delta.Host, alpha.Host, alpha.Inner6), relayed = new(beta.Host, delta.Host, delta.Inner);
        Transfer.Together(
            () => Transfer.Stream(delta.Host, beta.Host, beta.Inner6, 4_000_000, 4_000_000, seed: 1),
            () =>
            {
                for (int round = 0; round < Rounds; round++)
                {
                    foreach (Action change in Changes(alpha, beta, gamma, round))
                    {
                        change();
                        alpha.Signal("HUP");
                        reloads++;
                        int expected = reloads;
                        network.Until(() => alpha.Log(mark).Count(line => line.StartsWith("Reload", StringComparison.Ordinal)) == expected, "the end of the reload");
                    }
                }
            });

        string[] results = [direct.Stop(), back.Stop(), relayed.Stop()];
        Assert.True(direct.Lost + back.Lost + relayed.Lost == 0, $"{string.Join('\n', results)}\n{network.LogTails()}");
        Assert.All([direct, back, relayed], stream => Assert.True(stream.Received > 1000, string.Join('\n', results)));
        Assert.False(alpha.HasLogged("Closing connection with (beta|delta)", mark));
        Assert.Equal(2 * Rounds, alpha.Log(mark).Count(line => line.StartsWith("Reload refused", StringComparison.Ordinal)));
        Assert.True(alpha.Log(mark).Count(line => line.StartsWith("The connection with gamma ends", StringComparison.Ordinal)) >= Rounds);
        Assert.Equal(11 * Rounds, reloads);
    }

    /// <summary>What is changed before each reload; at the end of a round all is as it was.</summary>
    private static IEnumerable<Action> Changes(MeshNode alpha, MeshNode beta, MeshNode gamma, int round)
    {
        string configuration = File.ReadAllText(Path.Combine(alpha.Directory, "tinc.conf")), own = File.ReadAllText(Path.Combine(alpha.Directory, "hosts", "alpha"));
        string betas = File.ReadAllText(Path.Combine(alpha.Directory, "hosts", "beta")), gammas = File.ReadAllText(Path.Combine(alpha.Directory, "hosts", "gamma"));
        yield return () => { };
        yield return () => alpha.WriteFile("tinc.conf", $"# round {round}\n{configuration}PingInterval = {50 + round}\nDecrementTTL = yes\nKeyExpire = 3500\nLogLevel = 5\n");
        yield return () => alpha.WriteFile("tinc.conf", $"{configuration}Mode = bridge\n");
        yield return () => alpha.WriteFile("tinc.conf", $"{configuration}ConnectTo = nobody\n");
        yield return () => alpha.WriteFile("hosts/alpha", $"Subnet = 10.77.{round}.0/24\n{own}");
        yield return () => alpha.WriteFile("hosts/beta", $"# a comment\nSubnet = 10.78.{round}.0/24\nAddress = 192.0.2.99\n{betas}");
        yield return () => alpha.WriteFile("hosts/gamma", $"Weight = {round + 1}\n{gammas}");
        yield return () => alpha.WriteFile("hosts/gamma", $"Weight\n{gammas}");
        yield return () => File.Delete(Path.Combine(alpha.Directory, "hosts", "gamma"));
        yield return () => alpha.WriteFile("hosts/epsilon", gammas);
        yield return () =>
        {
            File.Delete(Path.Combine(alpha.Directory, "hosts", "epsilon"));
            alpha.WriteFile("tinc.conf", configuration);
            alpha.WriteFile("hosts/alpha", own);
            alpha.WriteFile("hosts/beta", betas);
            alpha.WriteFile("hosts/gamma", gammas);
        };
    }
}
