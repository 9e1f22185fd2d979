using System.Diagnostics.CodeAnalysis;
using FastMesh.Engine;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastMesh.Fuzz.Targets;

/// <summary>
/// A meta stream after authentication, the only place where members of the mesh speak freely: whatever one says, the mesh must
/// go on serving another, and forget what the first one made up.
/// </summary>
internal sealed class MetaStream : FuzzTarget, IPeerDirectory, IRandomSource
{
    private readonly Random _random = new(1);
    private readonly Mesh _mesh;
    private readonly ConnectionId _witness;
    private Instant _now = new(1_000_000);

    public MetaStream()
    {
        if (!RsaIdentity.TryFromPem(RsaKeyPair.Generate(512).PrivatePem, out RsaIdentity? key, out string reason))
            throw new InvalidOperationException(reason);
        var settings = new MeshSettings
        {
            Name = "self",
            Key = key,
            BypassSecurity = true,
            PingInterval = TimeSpan.FromDays(1000),
            KeyExpire = TimeSpan.FromDays(1000),
        };
        _mesh = new Mesh(settings, this, this, new EngineLog(NullLoggerFactory.Instance));
        _mesh.Start(_now);
        _witness = Join("witness");
    }

    public override IEnumerable<byte[]> Seeds =>
    [
        "12 1 beta self 192.0.2.1 655 c 10\n10 2 beta 10.2.0.0/16\n8\n9\n"u8.ToArray(),
        "12 3 beta gamma 192.0.2.9 655 c 5 10.0.0.1 655\n12 4 gamma beta fe80::1 655 700000c 5\n13 5 gamma beta\n"u8.ToArray(),
        "10 6 gamma fd00::/64#-1\n11 7 gamma fd00::/64#-1\n10 8 self 1:2:3:4:5:6\n12 9 self gamma x y f 1\n13 a self beta\n"u8.ToArray(),
        "14 b beta\n15 beta self\n15 beta witness 100 blob\n16 beta self 2A 0 672 4 0 192.0.2.77 9\n"u8.ToArray(),
        "17 10\n0123456789\n17 0\n17 65546\n0123456789"u8.ToArray(),
    ];

    public override void Run(Span<byte> input)
    {
        _now += TimeSpan.FromMilliseconds(250);
        ConnectionId id = Join("beta");
        _mesh.HandleMeta(id, input, _now);
        Drain();
        _mesh.HandleClosed(id, CloseReason.EndOfStream, "", _now);
        _mesh.Purge(_now);
        Drain();

        _mesh.HandleMeta(_witness, "8\n"u8, _now);
        if (!_mesh.PendingOutput(_witness).EndsWith("9\n"u8))
            throw new InvalidOperationException("The witness is not served any more");
        Drain();
        if (_mesh.NextTimeout is { } due && due <= _now)
            _mesh.HandleTimeout(_now);
        Drain();
    }

    private ConnectionId Join(string name)
    {
        ConnectionId id = _mesh.HandleAccepted(Endpoint.FromIPv4(0xc0000202, 50000), _now);
        _mesh.HandleMeta(id, System.Text.Encoding.ASCII.GetBytes($"0 {name} 17\n4 655 1 c\n"), _now);
        Drain();
        return id;
    }

    private void Drain()
    {
        _mesh.TryTakeTable(out _);
        while (_mesh.TryTakeAction(out MeshAction? action))
        {
            if (action is MeshAction.Send send)
                _mesh.HandleSent(send.Connection, _mesh.PendingOutput(send.Connection).Length, _now);
        }
    }

    IReadOnlyList<string> IPeerDirectory.Names => [];

    bool IPeerDirectory.TryRead(string name, [NotNullWhen(true)] out PeerSettings? peer)
    {
        peer = null;
        return false;
    }

    void IRandomSource.Fill(Span<byte> bytes) => _random.NextBytes(bytes);
}
