using System.Diagnostics.CodeAnalysis;
using System.Text;
using FastMesh.Engine;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;
using Microsoft.Extensions.Logging.Abstractions;

namespace FastMesh.Fuzz.Targets;

/// <summary>
/// A meta stream of tinc 1.1. The first byte of the input says where the rest goes: as it is behind the ID, as handshake records, as the
/// requests of a neighbour, one per record, with the payloads that they announce, or as it is behind a neighbour's requests. Whatever is said, the mesh must go on serving another.
/// </summary>
internal sealed class MetaRecords : FuzzTarget, IPeerDirectory, IRandomSource
{
    private readonly Random _random = new(1);
    private readonly Ed25519Identity _peer, _own;
    private readonly Mesh _mesh;
    private readonly ConnectionId _witness;
    private readonly SptpsRecords _witnessRecords;
    private Instant _now = new(1_000_000);

    public MetaRecords()
    {
        (_peer, _own) = (Ed25519Identity.Generate(this), Ed25519Identity.Generate(this));
        var settings = new MeshSettings
        {
            Name = "self",
            Identity = _own,
            SpeaksSptps = true,
            PingInterval = TimeSpan.FromDays(1000),
            KeyExpire = TimeSpan.FromDays(1000),
        };
        _mesh = new Mesh(settings, this, this, new EngineLog(NullLoggerFactory.Instance));
        _mesh.Start(_now);
        (_witness, _witnessRecords) = Join("witness");
    }

    public override IEnumerable<byte[]> Seeds =>
    [
        "\0\0\u0041\u0080"u8.ToArray(),
        "\u0001\0xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"u8.ToArray(),
        "\u000212 1 beta self 192.0.2.1 655 700000c 10 10.0.0.1 655\n10 2 beta 10.2.0.0/16\n8\n9\n7\n"u8.ToArray(),
        "\u000215 beta self 15 AAAAAACAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n16 beta self AAAA -1 -1 -1 0 192.0.2.7 9\n"u8.ToArray(),
        "\u000215 beta self 19\n15 beta self 20 DE6B/OvzQ4bHw1NGnvEwZeG5WDzml2wXdwthkJRVxgL\n15 beta self 21 AAAA\n15 beta self 101 AQMA\n15 beta self 110 AAAA\n"u8.ToArray(),
        "\u000222 beta witness 192.0.2.4 655\n23 beta witness 1400\n23 beta self 512\n"u8.ToArray(),
        "\u000217 10\n0123456789\n21 24\n0123456789012345678901234567890123456789\n8\n"u8.ToArray(),
        "\u000321 24\n012345678901234567890123\u0000\u0002"u8.ToArray(),
        "\u000317 32767\n\u007f\u00ff"u8.ToArray(),
    ];

    public override void Run(Span<byte> input)
    {
        _now += TimeSpan.FromMilliseconds(250);
        byte where = input.IsEmpty ? (byte)0 : input[0];
        Span<byte> rest = input.IsEmpty ? input : input[1..];
        ConnectionId id;
        switch (where & 3)
        {
            case 0:
                id = Greet("beta");
                _mesh.HandleMeta(id, rest, _now);
                break;
            case 1:
                id = Greet("beta");
                for (int at = 0; at < rest.Length; at += 65)
                    _mesh.HandleMeta(id, Plain(rest.Slice(at, Math.Min(65, rest.Length - at))), _now);
                break;
            default:
                (id, SptpsRecords records) = Join("beta");
                Talk(id, records, rest, raw: (where & 3) == 3);
                break;
        }

        Drain();
        _mesh.HandleClosed(id, CloseReason.EndOfStream, "", _now);
        _mesh.Purge(_now);
        Drain();
        AskWitness();
        if (_mesh.NextTimeout is { } due && due <= _now)
            _mesh.HandleTimeout(_now);
        Drain();
    }

    private void Talk(ConnectionId id, SptpsRecords records, Span<byte> text, bool raw)
    {
        while (!text.IsEmpty)
        {
            int end = text.IndexOf((byte)'\n');
            Span<byte> line = end < 0 ? text : text[..(end + 1)];
            text = text[line.Length..];
            _mesh.HandleMeta(id, Seal(records, line), _now);
            if (raw)
            {
                _mesh.HandleMeta(id, text, _now);
                return;
            }

            if (line.StartsWith("21 "u8))
            {
                _mesh.HandleMeta(id, text[..Math.Min(text.Length, 24)], _now);
                text = text[Math.Min(text.Length, 24)..];
            }
        }
    }

    private void AskWitness()
    {
        _mesh.HandleMeta(_witness, Seal(_witnessRecords, "8\n"u8), _now);
        bool served = false;
        ReadOnlySpan<byte> output = _mesh.PendingOutput(_witness);
        while (_witnessRecords.Read(output, SptpsRecords.MaxData, out int length, out _, out ReadOnlySpan<byte> data) == SptpsRead.Application)
        {
            served = data.SequenceEqual("9\n"u8);
            int raw = data.StartsWith("21 "u8) ? int.Parse(Encoding.ASCII.GetString(data[3..].TrimEnd((byte)'\n')), System.Globalization.CultureInfo.InvariantCulture) : 0;
            output = output[(length + raw)..];
        }

        if (!served)
            throw new InvalidOperationException("The witness is not served any more");
        _mesh.HandleSent(_witness, _mesh.PendingOutput(_witness).Length, _now);
    }

    private ConnectionId Greet(string name)
    {
        ConnectionId id = _mesh.HandleAccepted(Endpoint.FromIPv4(0x7f000001, 50000), _now);
        _mesh.HandleMeta(id, Encoding.ASCII.GetBytes($"0 {name} 17.7\n"), _now);
        return id;
    }

    /// <summary>A neighbour that is reachable.</summary>
    private (ConnectionId Id, SptpsRecords Records) Join(string name)
    {
        ConnectionId id = Greet(name);
        var records = new SptpsRecords(new(_peer, _own.Public, initiator: true, SptpsHandshake.Label("TCP", name, "self"), this));
        byte[] kex = records.Start().ToArray();
        Listen(id, records, skip: "0 self 17.7\n".Length);
        _mesh.HandleMeta(id, kex, _now);
        _mesh.HandleMeta(id, records.Reply, _now);
        Listen(id, records, skip: 0);
        _mesh.HandleMeta(id, Seal(records, "4 655 1 700000c\n"u8), _now);
        _mesh.HandleMeta(id, Seal(records, Encoding.ASCII.GetBytes($"12 {_random.Next():x} {name} self 192.0.2.1 655 700000c 1\n")), _now);
        if (name == "witness")
            Listen(id, records, skip: 0);
        Drain();
        return (id, records);
    }

    private void Listen(ConnectionId id, SptpsRecords records, int skip)
    {
        ReadOnlySpan<byte> output = _mesh.PendingOutput(id)[skip..];
        while (records.Read(output, SptpsRecords.MaxData, out int length, out _, out _) is not (SptpsRead.More or SptpsRead.Broken))
            output = output[length..];
        if (!output.IsEmpty)
            throw new InvalidOperationException("The mesh does not speak SPTPS");
        _mesh.HandleSent(id, _mesh.PendingOutput(id).Length, _now);
    }

    private static byte[] Plain(ReadOnlySpan<byte> content) => [0, (byte)content.Length, SptpsHandshake.RecordType, .. content];

    private static byte[] Seal(SptpsRecords records, ReadOnlySpan<byte> data)
    {
        data = data[..Math.Min(data.Length, 32767)];
        byte[] record = new byte[records.RecordLength(data.Length)];
        data.CopyTo(record.AsSpan(SptpsRecords.HeaderLength));
        records.Seal(0, record);
        return record;
    }

    /// <summary>Everything that was sent is taken, but for the witness, who reads at the end of a run.</summary>
    private void Drain()
    {
        _mesh.TryTakeTable(out _);
        while (_mesh.TryTakeAction(out MeshAction? action))
        {
            if (action is MeshAction.Send send && send.Connection != _witness)
                _mesh.HandleSent(send.Connection, _mesh.PendingOutput(send.Connection).Length, _now);
        }
    }

    IReadOnlyList<string> IPeerDirectory.Names => ["beta", "witness"];

    bool IPeerDirectory.TryRead(string name, [NotNullWhen(true)] out PeerSettings? peer)
    {
        peer = name is "beta" or "witness" ? new PeerSettings { Ed25519Key = _peer.Public } : null;
        return peer is not null;
    }

    void IRandomSource.Fill(Span<byte> bytes) => _random.NextBytes(bytes);
}
