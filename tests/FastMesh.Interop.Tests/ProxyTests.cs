using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests;

/// <summary>Outgoing meta connections through every kind of proxy; the direct way is closed by a filter.</summary>
public sealed class ProxyTests
{
    [SkippableTheory]
    [InlineData(Programs.FastMesh, "socks4 192.0.2.3 1080", "socks4 1 192.0.2.2 655 user=")]
    [InlineData(Programs.Tincd, "socks4 192.0.2.3 1080", "socks4 1 192.0.2.2 655 user=")]
    [InlineData(Programs.FastMesh, "socks4 192.0.2.3 1080 someone", "socks4 1 192.0.2.2 655 user=someone")]
    [InlineData(Programs.Tincd, "socks4 192.0.2.3 1080 someone", "socks4 1 192.0.2.2 655 user=someone")]
    [InlineData(Programs.FastMesh, "socks4a 192.0.2.3 1080", "socks4 1 192.0.2.2 655 user=")]
    [InlineData(Programs.Tincd, "socks4a 192.0.2.3 1080", "socks4 1 192.0.2.2 655 user=")]
    [InlineData(Programs.FastMesh, "socks5 192.0.2.3 1080", "socks5 1 192.0.2.2 655")]
    [InlineData(Programs.Tincd, "socks5 192.0.2.3 1080", "socks5 1 192.0.2.2 655")]
    [InlineData(Programs.FastMesh, "socks5 192.0.2.3 1080 name secret", "socks5 1 192.0.2.2 655 name:secret")]
    [InlineData(Programs.Tincd, "socks5 192.0.2.3 1080 name secret", "socks5 1 192.0.2.2 655 name:secret")]
    [InlineData(Programs.FastMesh, "http 192.0.2.3 1080", "http CONNECT 192.0.2.2:655 HTTP/1.1")]
    [InlineData(Programs.Tincd, "http 192.0.2.3 1080", "http CONNECT 192.0.2.2:655 HTTP/1.1")]
    public void The_meta_connection_goes_through_the_proxy(string kind, string setting, string expected)
    {
        using TestNetwork network = new();
        (MeshNode alpha, MeshNode beta) = Pair(network, kind, setting);
        using ProxyServer proxy = new(network.AddHost("proxy"));
        network.Start();
        alpha.WaitForConnection(beta);
        network.Until(() => alpha.Host.CanPing(beta.Inner), "the first ping");
        Assert.Equal([expected], proxy.Served.Select(line => line.Trim()));
    }

    [SkippableTheory, InlineData(Programs.FastMesh), InlineData(Programs.Tincd)]
    public void Socks5_reaches_an_ipv6_address(string kind)
    {
        using TestNetwork network = new();
        (MeshNode alpha, MeshNode beta) = Pair(network, kind, "socks5 192.0.2.3 1080");
        beta.Addresses = [beta.Host.Address6()];
        using ProxyServer proxy = new(network.AddHost("proxy"));
        network.Start();
        alpha.WaitForConnection(beta);
        Assert.Equal(["socks5 1 2001:db8:0::2 655".Replace(":0::", "::", StringComparison.Ordinal)], proxy.Served);
    }

    [SkippableTheory, InlineData(Programs.FastMesh), InlineData(Programs.Tincd)]
    public void An_exec_proxy_is_a_command_with_the_peer_in_its_environment(string kind)
    {
        using TestNetwork network = new();
        (MeshNode alpha, MeshNode beta) = Pair(network, kind, "");
        string script = Path.Combine(alpha.Directory, "proxy");
        alpha.WriteScript("proxy", $"""
            echo "$NAME $NODE $REMOTEADDRESS $REMOTEPORT $NETNAME" >>{script}.seen
            exec socat - TCP:192.0.2.2:1655

            """);
        alpha.Settings[^1] = $"Proxy = exec {script}";
        beta.Host.Start("socat", "TCP-LISTEN:1655,fork,reuseaddr", "TCP:127.0.0.1:655");
        network.Start();
        alpha.WaitForConnection(beta);
        Assert.Equal("alpha beta 192.0.2.2 655 mesh", File.ReadLines(script + ".seen").First());
        network.Until(() => alpha.Host.CanPing(beta.Inner), "the first ping");
    }

    [SkippableTheory, InlineData(Programs.FastMesh), InlineData(Programs.Tincd)]
    public void A_proxy_that_refuses_is_tried_again(string kind)
    {
        using TestNetwork network = new();
        (MeshNode alpha, MeshNode beta) = Pair(network, kind, "http 192.0.2.3 1080");
        NetworkHost host = network.AddHost("proxy");
        network.Start();
        alpha.WaitForLog("Trying to re-establish outgoing connection in 5 seconds");
        using ProxyServer proxy = new(host);
        alpha.Signal("ALRM");
        alpha.WaitForConnection(beta);
    }

    private static (MeshNode Alpha, MeshNode Beta) Pair(TestNetwork network, string kind, string proxy)
    {
        MeshNode alpha = network.AddNode("alpha", kind), beta = network.AddNode("beta", Programs.Tincd);
        alpha.Settings.Add($"Proxy = {proxy}");
        alpha.ConnectTo(beta);
        beta.Host.Filter("input ip saddr 192.0.2.1 tcp dport 655 drop", "input ip6 saddr 2001:db8::1 tcp dport 655 drop");
        return (alpha, beta);
    }
}
