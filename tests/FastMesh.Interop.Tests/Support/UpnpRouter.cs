using System.Globalization;
using System.Text.RegularExpressions;

namespace FastMesh.Interop.Tests.Support;

/// <summary>miniupnpd on a host between the LAN of segment 0 and the Internet of segment 1: it forwards the ports that hosts of the LAN ask for.</summary>
public sealed partial class UpnpRouter
{
    private readonly string _directory;

    /// <summary>Makes the host route. Nobody answers before <see cref="Start"/>.</summary>
    public UpnpRouter(TestNetwork network)
    {
        Host = network.AddHost("router", 0, 1);
        _directory = Directory.CreateDirectory(Path.Combine(network.Directory, "router")).FullName;
        File.WriteAllText(Leases, "");
        File.WriteAllText(Path.Combine(_directory, "nft"), """
            table inet filter {
              chain forward { type filter hook forward priority 0; jump miniupnpd; }
              chain miniupnpd { }
              chain prerouting { type nat hook prerouting priority -100; jump prerouting_miniupnpd; }
              chain postrouting { type nat hook postrouting priority 100; jump postrouting_miniupnpd; oifname eth1 masquerade; }
              chain prerouting_miniupnpd { }
              chain postrouting_miniupnpd { }
            }
            """);
        Host.Sh($"echo 1 >/proc/sys/net/ipv4/ip_forward; nft -f {_directory}/nft");
    }

    public NetworkHost Host { get; }

    /// <summary>What libminiupnpc is installed.</summary>
    public static string[] Libraries { get; } = [.. Directory.GetDirectories("/usr/lib", "*-linux-gnu").SelectMany(folder => Directory.GetFiles(folder, "libminiupnpc.so.*"))];

    /// <summary>The address that it says it has outside: the one that it has is reserved for documents, and it would forward nothing there.</summary>
    public static string Outside => "9.9.9.9";

    /// <summary>What is forwarded to where, in order, as PROTOCOL:PORT:HOST:PORT:DESCRIPTION.</summary>
    public string[] Forwarded => [.. Lines().Select(line => LeaseEnd().Replace(line, ":")).Order(StringComparer.Ordinal)];

    private string Leases => Path.Combine(_directory, "leases");

    /// <summary>When the first of the leases ends, in seconds since 1970.</summary>
    public long FirstEnd => Lines().Select(line => long.Parse(line.Split(':')[4], CultureInfo.InvariantCulture)).DefaultIfEmpty().Min();

    /// <summary>Starts miniupnpd.</summary>
    /// <param name="ports">The ports that may be forwarded.</param>
    public void Start(string ports = "0-65535")
    {
        string file = Path.Combine(_directory, "conf");
        File.WriteAllText(file, $"""
            ext_ifname=eth1
            ext_ip={Outside}
            listening_ip=eth0
            enable_upnp=yes
            enable_natpmp=no
            secure_mode=yes
            upnp_forward_chain=miniupnpd
            upnp_nat_chain=prerouting_miniupnpd
            upnp_nat_postrouting_chain=postrouting_miniupnpd
            lease_file={Leases}
            uuid=a8828152-0b17-4d15-bfd7-7af7080d546d
            allow {ports} 0.0.0.0/0 0-65535
            deny 0-65535 0.0.0.0/0 0-65535

            """);
        Host.Start("miniupnpd", "-d", "-f", file, "-P", Path.Combine(_directory, "pid"));
    }

    /// <summary>There is no file for the moments in which miniupnpd writes another one.</summary>
    private string[] Lines()
    {
        try
        {
            return File.ReadAllLines(Leases);
        }
        catch (FileNotFoundException)
        {
            return [];
        }
    }

    [GeneratedRegex(@":\d+:(?=[^:]*$)")]
    private static partial Regex LeaseEnd();
}
