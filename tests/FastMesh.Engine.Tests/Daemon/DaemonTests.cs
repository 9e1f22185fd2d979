using System.Globalization;
using System.Net;
using System.Net.Sockets;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Protocol;

namespace FastMesh.Engine.Tests.Daemon;

/// <summary>Expected texts and order: tinc 1.0 reference, 1.2, 1.6, 1.7 and 1.8, and runs of tincd 1.0.36.</summary>
[Collection("process")]
public sealed class DaemonTests
{
    [Fact]
    public async Task Starts_and_ends_in_tincs_order()
    {
        using TestDaemon daemon = new("alpha");
        foreach (string script in (string[])["tinc-up", "subnet-up", "subnet-down", "tinc-down"])
            daemon.Directory.WriteScript(script, "");
        await daemon.StartAndWaitAsync();
        ushort port = daemon.Port;
        Assert.Equal(0, await daemon.StopAsync());

        Assert.Equal(
            [
                "dummy (dummy) is a dummy device",
                "Executing script tinc-up",
                "Executing script subnet-up",
                $"Listening on 127.0.0.1 port {port}",
                "Ready",
                "Packet I/O: plain system calls",
                $"Encryption: {Encryption.Description}",
                "Got TERM signal",
                "Statistics for dummy device dummy:",
                " total bytes in:           0",
                " total bytes out:          0",
                "Closing connection with alpha (MYSELF)",
                "Executing script subnet-down",
                "Executing script tinc-down",
                "Terminating",
            ],
            daemon.Log.Lines);
    }

    [Fact]
    public async Task Two_daemons_connect_over_loopback_and_notice_the_end()
    {
        using TestDaemon alpha = new("alpha");
        alpha.Peers.Add("beta");
        alpha.Directory.WriteScript("host-up", $"echo $NODE $REMOTEADDRESS > '{alpha.Directory["up"]}'");
        await alpha.StartAndWaitAsync();

        using TestDaemon beta = new("beta", options => options with { Mesh = options.Mesh with { ConnectTo = ["alpha"] } });
        beta.Peers.Add("alpha", new Engine.Protocol.HostPort("127.0.0.1", alpha.Port.ToString(CultureInfo.InvariantCulture)));
        await beta.StartAndWaitAsync();

        beta.Log.WaitFor($"Connection with alpha (127.0.0.1 port {alpha.Port}) activated");
        alpha.Log.WaitFor("Connection with beta (127.0.0.1 port ");
        alpha.Log.WaitFor($"Node beta (127.0.0.1 port {beta.Port}) became reachable");
        alpha.Log.WaitFor("Got MTU probe length "); // UDP works too

        Assert.Equal(0, await beta.StopAsync());
        alpha.Log.WaitFor("Connection closed by beta");
        alpha.Log.WaitFor("became unreachable");
        Assert.Equal(0, await alpha.StopAsync());
        Assert.Equal("beta 127.0.0.1", File.ReadAllText(alpha.Directory["up"]).TrimEnd());
    }

    [Fact]
    public async Task A_processor_that_is_not_there_ends_the_start_with_one_line()
    {
        using TestDaemon daemon = new("alpha", options => options with { DataPlane = new() { Cpus = [0, 1000] } });
        daemon.Start();
        Assert.Equal(1, await daemon.ExitAsync());
        Assert.StartsWith("--cpus: no processor 1000 here; there are 0", daemon.Log.Lines[0], StringComparison.Ordinal);
        Assert.Equal(["Terminating"], daemon.Log.Lines.Skip(1));
    }

    [Fact]
    public async Task Signals_dump_toggle_and_reload()
    {
        int reread = 0;
        DaemonOptions? latest = null;
        using TestDaemon daemon = new("alpha", options => latest = options with
        {
            Reread = () => ++reread == 1 ? new() { Options = latest } : new() { Errors = ["no tinc.conf"] },
        });
        await daemon.StartAndWaitAsync();
        LogRecorder log = daemon.Log;

        log.DebugLevel = 2;
        daemon.Signal(Signals.Int);
        log.WaitFor("Temporarily setting debug level to 5.  Kill me with SIGINT again to go back to level 2.");
        daemon.Signal(Signals.Int);
        log.WaitFor("Reverting to old debug level (2)");
        daemon.Signal(Signals.Usr1);
        log.WaitFor("End of connections.");
        Assert.Equal(2, log.DebugLevel);
        daemon.Signal(Signals.Usr2);
        log.WaitFor("End of subnet list.");
        Assert.Contains(" 10.1.0.0/24#10 owner alpha", log.Lines);
        Assert.DoesNotContain("Got USR2 signal", log.Lines);

        daemon.Signal(Signals.Hup);
        daemon.Signal(Signals.Alrm);
        log.WaitFor("Got ALRM signal");
        Assert.Equal((1, 1), (reread, log.Reopened));

        daemon.Signal(Signals.Hup); // tincd would end
        log.WaitFor("  no tinc.conf");
        Assert.Equal(0, await daemon.StopAsync());
    }

    [Fact]
    public async Task A_port_in_use_is_logged_and_ends_the_start_undoing_what_was_done()
    {
        using TcpListener busy = new(IPAddress.Loopback, 0);
        busy.Start();
        int port = ((IPEndPoint)busy.LocalEndpoint).Port;
        using TestDaemon daemon = new("alpha", options => options with
        {
            BindToAddress = [new("127.0.0.1", port.ToString(CultureInfo.InvariantCulture))],
        });
        daemon.Directory.WriteScript("tinc-down", $"touch '{daemon.Directory["down"]}'");
        daemon.Start();

        Assert.Equal(1, await daemon.ExitAsync());
        Assert.Contains($"Can't bind to 127.0.0.1 port {port}/tcp: Address already in use", daemon.Log.Lines);
        Assert.Contains("Unable to create any listening socket!", daemon.Log.Lines);
        Assert.DoesNotContain("Ready", daemon.Log.Lines);
        Assert.True(File.Exists(daemon.Directory["down"]));
    }

    [Fact]
    public async Task ListenAddress_adds_to_BindToAddress_and_stands_alone_without_it()
    {
        foreach (IReadOnlyList<HostPort> bound in (IReadOnlyList<HostPort>[])[[new("127.0.0.1", "0")], []])
        {
            using TestDaemon daemon = new("alpha", options => options with
            {
                BindToAddress = bound,
                ListenAddress = [new("127.0.0.2", "0")],
            });
            await daemon.StartAndWaitAsync();
            string[] listening = [.. daemon.Log.Lines.Where(line => line.StartsWith("Listening on ", StringComparison.Ordinal)).Select(line => line.Split(' ')[2])];
            Assert.Equal([.. bound.Select(address => address.Host), "127.0.0.2"], listening);
            Assert.Equal(0, await daemon.StopAsync());
        }
    }

    [Fact]
    public async Task One_address_that_cannot_be_bound_leaves_the_others()
    {
        using TestDaemon daemon = new("alpha", options => options with
        {
            BindToAddress = [new("192.0.2.77", "0"), new("127.0.0.1", "0")], // the first is nobody's (RFC 5737)
        });
        await daemon.StartAndWaitAsync();
        Assert.Contains("Can't bind to 192.0.2.77 port 0/tcp: Cannot assign requested address", daemon.Log.Lines);
        Assert.Equal(0, await daemon.StopAsync());
    }

    [Fact]
    public async Task A_device_that_cannot_be_opened_gives_1_and_the_reason()
    {
        using TestDaemon daemon = new("alpha", options => options with
        {
            Device = new DeviceSettings { Kind = DeviceKind.Tun, Device = "/dev/no/such/device" },
        });
        daemon.Directory.WriteScript("tinc-up", "exit 9");
        daemon.Start();
        Assert.Equal(1, await daemon.ExitAsync());
        Assert.Contains("/dev/no/such/device", daemon.Log.Lines[0], StringComparison.Ordinal);
        Assert.Equal("Terminating", daemon.Log.Lines[^1]);
        Assert.DoesNotContain(daemon.Log.Lines, line => line.Contains("tinc-up", StringComparison.Ordinal));
    }

    [Fact]
    public async Task An_unknown_user_ends_the_start_after_connections_were_tried()
    {
        using TestDaemon daemon = new("alpha", options => options with { User = "no_such_user_here" });
        daemon.Start();
        Assert.Equal(1, await daemon.ExitAsync());
        Assert.Contains(daemon.Log.Lines, line => line.Contains("no_such_user_here", StringComparison.Ordinal));
        Assert.Equal("Terminating", daemon.Log.Lines[^1]);
    }

    [Fact]
    public async Task The_same_port_serves_tcp_and_udp_when_the_kernel_chooses()
    {
        using TestDaemon daemon = new("alpha");
        await daemon.StartAndWaitAsync();
        using Socket udp = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp);
        Assert.Equal(SocketError.AddressAlreadyInUse, Assert.Throws<SocketException>(() => udp.Bind(new IPEndPoint(IPAddress.Loopback, daemon.Port))).SocketErrorCode);
        using TcpClient client = new();
        await client.ConnectAsync(IPAddress.Loopback, daemon.Port);
        daemon.Log.WaitFor("Connection from 127.0.0.1 port ");
    }

    [Fact]
    public async Task Ten_offenders_are_kept_silent_and_the_eleventh_frees_the_oldest()
    {
        using TestDaemon daemon = new("alpha");
        await daemon.StartAndWaitAsync();
        List<TcpClient> offenders = [];
        for (int i = 1; i <= 10; i++)
            offenders.Add(await OffendAsync(daemon));
        daemon.Log.WaitFor("Closing connection with <unknown>", times: 10);
        Assert.All(offenders, client => Assert.False(IsClosed(client)));

        offenders.Add(await OffendAsync(daemon)); // for its nonsense, or as the eleventh within a second
        byte[] buffer = new byte[64];
        using CancellationTokenSource patience = new(TimeSpan.FromSeconds(30));
        while (await ReadAsync(offenders[0], buffer, patience.Token) > 0)
        {
        }

        Assert.All(offenders.Skip(1), client => Assert.False(IsClosed(client)));
        offenders.ForEach(client => client.Dispose());
    }

    private static async Task<TcpClient> OffendAsync(TestDaemon daemon)
    {
        TcpClient client = new();
        await client.ConnectAsync(IPAddress.Loopback, daemon.Port);
        await client.GetStream().WriteAsync("nonsense\n"u8.ToArray());
        return client;
    }

    private static bool IsClosed(TcpClient client) => client.Client.Poll(0, SelectMode.SelectRead) && client.Available == 0;

    private static async Task<int> ReadAsync(TcpClient client, byte[] buffer, CancellationToken patience)
    {
        try
        {
            return await client.GetStream().ReadAsync(buffer, patience);
        }
        catch (IOException)
        {
            return 0; // closed with unread bytes: a reset
        }
    }
}
