using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.DataPath;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Daemon;

/// <summary>A whole daemon without a network device, on loopback, in this process.</summary>
internal sealed class TestDaemon : IDisposable
{
    private static readonly Lazy<RsaIdentity> s_alpha = new(MakeKey), s_beta = new(MakeKey);
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Engine.Daemon.Daemon _daemon;
    private Task<int>? _run;

    public TestDaemon(string name, Func<DaemonOptions, DaemonOptions>? change = null)
    {
        RsaIdentity own = name == "alpha" ? s_alpha.Value : s_beta.Value;
        DaemonOptions options = new()
        {
            NetName = "test",
            ConfigDirectory = Directory.Path,
            Mesh = new MeshSettings
            {
                Name = name,
                Key = own,
                Port = "0",
                AddressFamily = AddressFamilyChoice.IPv4,
                Subnets = [Subnet.TryParse(name == "alpha" ? "10.1.0.0/24" : "10.2.0.0/24", out Subnet subnet) ? subnet : default],
            },
            Peers = Peers,
            Device = new DeviceSettings { Kind = DeviceKind.Dummy, Device = "dummy", Interface = "dummy" },
            BindToAddress = [new("127.0.0.1", "0")],
        };
        Options = change?.Invoke(options) ?? options;
        _daemon = new(Options, Log.Engine, Log);
    }

    public DaemonOptions Options { get; }

    public TemporaryDirectory Directory { get; } = new();

    public LogRecorder Log { get; } = new();

    public TestPeers Peers { get; } = new();

    /// <summary>The port of "Listening on 127.0.0.1 port N".</summary>
    public ushort Port
    {
        get
        {
            Log.WaitFor("Listening on ");
            string line = Log.Lines.First(l => l.StartsWith("Listening on ", StringComparison.Ordinal));
            return ushort.Parse(line[(line.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture);
        }
    }

    public static RsaPublicIdentity PublicKey(string name) => (name == "alpha" ? s_alpha : s_beta).Value.Public;

    public void Start() => _run = Task.Factory.StartNew(
        () => _daemon.Run(_ready.SetResult), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    public async Task StartAndWaitAsync()
    {
        Start();
        Task first = await Task.WhenAny(_ready.Task, _run!);
        Assert.True(first == _ready.Task, string.Join('\n', Log.Lines));
    }

    public void Signal(int number) => _daemon.Signal(number);

    /// <summary>Waits for the end and gives the exit code.</summary>
    public Task<int> ExitAsync() => _run!.WaitAsync(TimeSpan.FromSeconds(60));

    public async Task<int> StopAsync()
    {
        Signal(Signals.Term);
        return await ExitAsync();
    }

    public void Dispose()
    {
        if (_run is { IsCompleted: false } run)
        {
            Signal(Signals.Term);
            run.Wait(TimeSpan.FromSeconds(60));
        }

        Directory.Dispose();
    }

    private static RsaIdentity MakeKey()
    {
        using RSA rsa = RSA.Create(1024);
        Assert.True(RsaIdentity.TryFromPem(rsa.ExportRSAPrivateKeyPem(), out RsaIdentity? identity, out string reason), reason);
        return identity;
    }
}

/// <summary>Host files in memory.</summary>
internal sealed class TestPeers : IPeerDirectory
{
    private readonly Dictionary<string, PeerSettings> _peers = [];

    public IReadOnlyList<string> Names => [.. _peers.Keys.Order(StringComparer.Ordinal)];

    public void Add(string name, params HostPort[] addresses) =>
        _peers[name] = new PeerSettings { Addresses = addresses, PublicKey = TestDaemon.PublicKey(name) };

    public bool TryRead(string name, [NotNullWhen(true)] out PeerSettings? peer) => _peers.TryGetValue(name, out peer);
}
