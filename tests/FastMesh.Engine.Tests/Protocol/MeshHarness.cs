using System.Diagnostics.CodeAnalysis;
using System.Text;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;
using Microsoft.Extensions.Logging;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>
/// One mesh named "self" and scripted peers that speak plain text (--bypass-security), so that tests say and see request lines.
/// </summary>
internal sealed class MeshHarness : IPeerDirectory, IRandomSource, ILoggerFactory, ILogger
{
    private static readonly RsaIdentity s_key = MakeKey();

    private readonly Dictionary<ConnectionId, StringBuilder> _sent = [];
    private readonly Random _random;

    public MeshHarness(Func<MeshSettings, MeshSettings>? configure = null, int seed = 1)
    {
        _random = new Random(seed);
        var settings = new MeshSettings { Name = "self", Key = s_key, BypassSecurity = true };
        Mesh = new Mesh(Settings = configure?.Invoke(settings) ?? settings, this, this, new EngineLog(this));
    }

    public Mesh Mesh { get; }

    public MeshSettings Settings { get; }

    public Instant Now { get; private set; } = new(500_000);

    public SortedDictionary<string, PeerSettings> HostFiles { get; } = new(StringComparer.Ordinal);

    public List<string> Log { get; } = [];

    /// <summary>Actions other than Send, as taken.</summary>
    public List<MeshAction> Actions { get; } = [];

    public ForwardingTable Table { get; private set; } = null!;

    public int Tables { get; private set; }

    public MeshHarness Start()
    {
        Mesh.Start(Now);
        Mesh.StartOutgoing("655", Now);
        Drain();
        return this;
    }

    /// <summary>Accepts a connection and completes the handshake as a node of that name.</summary>
    public ConnectionId Join(string name, string options = "c", string port = "655")
    {
        ConnectionId id = Accept();
        Say(id, $"0 {name} 17", $"4 {port} 10 {options}");
        return id;
    }

    /// <summary>A peer that joins and announces its edge, so that it is reachable. What was sent to it so far is forgotten.</summary>
    public ConnectionId JoinReachable(string name, string options = "c")
    {
        ConnectionId id = Join(name, options);
        Say(id, $"12 {_random.Next():x} {name} self 192.0.2.1 655 {options} 10");
        Heard(id);
        return id;
    }

    public ConnectionId Accept(string address = "192.0.2.2")
    {
        Assert.True(Endpoint.TryParse(address, "50000", out Endpoint remote));
        ConnectionId id = Mesh.HandleAccepted(remote, Now);
        Drain();
        return id;
    }

    public void Say(ConnectionId id, params string[] lines)
    {
        foreach (string line in lines)
            Feed(id, Encoding.Latin1.GetBytes(line + "\n"));
    }

    public void Feed(ConnectionId id, ReadOnlySpan<byte> bytes)
    {
        Mesh.HandleMeta(id, bytes, Now);
        Drain();
    }

    /// <summary>The bytes sent on a connection since the last call.</summary>
    public byte[] HeardBytes(ConnectionId id)
    {
        if (!_sent.Remove(id, out StringBuilder? text))
            return [];
        return Encoding.Latin1.GetBytes(text.ToString());
    }

    /// <summary>The lines sent on a connection since the last call.</summary>
    public string[] Heard(ConnectionId id) =>
        Encoding.Latin1.GetString(HeardBytes(id)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

    /// <summary>The same with every nonce of a flooded request as N.</summary>
    public string[] HeardWithoutNonces(ConnectionId id) => [.. Heard(id).Select(line =>
    {
        string[] fields = line.Split(' ');
        if (fields[0] is "10" or "11" or "12" or "13" or "14")
            fields[1] = "N";
        return string.Join(' ', fields);
    })];

    public void Do(Action<Mesh, Instant> input)
    {
        input(Mesh, Now);
        Drain();
    }

    /// <summary>Lets time pass, timer by timer.</summary>
    public void Wait(TimeSpan span)
    {
        Instant end = Now + span;
        while (Mesh.NextTimeout is { } due && due <= end)
        {
            Now = due > Now ? due : Now;
            Mesh.HandleTimeout(Now);
            Drain();
        }

        Now = end;
    }

    public void WaitSeconds(double seconds) => Wait(TimeSpan.FromSeconds(seconds));

    public IEnumerable<T> Taken<T>()
        where T : MeshAction => Actions.OfType<T>();

    public bool IsClosed(ConnectionId id, out bool tarpit)
    {
        MeshAction.Close? close = Taken<MeshAction.Close>().FirstOrDefault(action => action.Connection == id);
        tarpit = close?.Tarpit ?? false;
        return close is not null;
    }

    public string[] Graph => [.. Mesh.DescribeGraph()];

    public string[] Edges => [.. Graph.SkipWhile(line => line != "Edges:").Skip(1).TakeWhile(line => line != "End of edges.").Select(line => line.Trim())];

    public string[] Subnets => [.. Graph.SkipWhile(line => line != "Subnet list:").Skip(1).TakeWhile(line => line != "End of subnet list.").Select(line => line.Trim())];

    public PeerRoute? Route(string name) => Table.Peers.SingleOrDefault(peer => peer.Name == name);

    public void Drain()
    {
        while (true)
        {
            if (Mesh.TryTakeTable(out ForwardingTable? table))
                (Table, Tables) = (table, Tables + 1);
            if (!Mesh.TryTakeAction(out MeshAction? action))
                return;
            if (action is MeshAction.Send send)
                TakeOutput(send.Connection);
            else
                Actions.Add(action);
        }
    }

    private void TakeOutput(ConnectionId id)
    {
        ReadOnlySpan<byte> output = Mesh.PendingOutput(id);
        if (!_sent.TryGetValue(id, out StringBuilder? text))
            _sent.Add(id, text = new StringBuilder());
        text.Append(Encoding.Latin1.GetString(output));
        Mesh.HandleSent(id, output.Length, Now);
    }

    private static RsaIdentity MakeKey()
    {
        Assert.True(RsaIdentity.TryFromPem(RsaKeyPair.Generate(512).PrivatePem, out RsaIdentity? key, out string reason), reason);
        return key;
    }

    IReadOnlyList<string> IPeerDirectory.Names => [.. HostFiles.Keys];

    bool IPeerDirectory.TryRead(string name, [NotNullWhen(true)] out PeerSettings? peer) => HostFiles.TryGetValue(name, out peer);

    void IRandomSource.Fill(Span<byte> bytes) => _random.NextBytes(bytes);

    ILogger ILoggerFactory.CreateLogger(string categoryName) => this;

    void ILoggerFactory.AddProvider(ILoggerProvider provider) => throw new NotSupportedException();

    void IDisposable.Dispose()
    {
    }

    IDisposable? ILogger.BeginScope<TState>(TState state) => null;

    bool ILogger.IsEnabled(LogLevel logLevel) => true;

    void ILogger.Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        Log.Add(formatter(state, exception));
}
