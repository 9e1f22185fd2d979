using FastMesh.Engine.Wire;

namespace FastMesh.Simulation.Tests;

public sealed class PairTests
{
    private static readonly TimeSpan s_soon = TimeSpan.FromSeconds(2);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Two_nodes_connect_exchange_keys_and_talk(int seed)
    {
        SimNetwork net = new(seed) { DebugLevel = 5 };
        Assert.True(Subnet.TryParse("10.20.1.0/24", out Subnet first));
        Assert.True(Subnet.TryParse("10.20.2.0/24", out Subnet second));
        SimNode alpha = net.Add("alpha", settings => settings with { ConnectTo = ["beta"], Subnets = [first] });
        SimNode beta = net.Add("beta", settings => settings with { Subnets = [second] });
        net.StartAll();

        Assert.True(net.RunUntil(() => net.AllReachable && alpha.Route("beta").Sealer is not null
            && beta.Route("alpha").Sealer is not null, s_soon), net.Trace);
        Assert.Contains("Connection with beta (10.0.0.2 port 655) activated", alpha.Log.Lines);
        Assert.Contains("Connection with alpha (10.0.0.1 port 40000) activated", beta.Log.Lines);
        Assert.Contains(" alpha to beta at 10.0.0.2 port 655 options c weight", string.Join('\n', alpha.Graph), StringComparison.Ordinal);

        alpha.SendTo("beta", "ping");
        net.RunFor(s_soon);
        Assert.Equal(["ping"], beta.Received);
    }
}
