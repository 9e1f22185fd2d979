using System.Text;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>A scripted peer of a <see cref="MeshHarness"/> that speaks tinc 1.1: requests in records, payloads where the reference puts them.</summary>
internal sealed class SptpsPeer
{
    private readonly MeshHarness _mesh;
    private readonly SptpsRecords _records;
    private readonly List<byte> _waiting = [];

    private SptpsPeer(MeshHarness mesh, ConnectionId id, SptpsRecords records) => (_mesh, Id, _records) = (mesh, id, records);

    public ConnectionId Id { get; }

    /// <summary>What the mesh has said, in order: lines without LF, and raw bytes after <c>21 LEN</c> as hex after <c>raw</c>.</summary>
    public List<string> Heard { get; } = [];

    /// <summary>Records as they came, type and data.</summary>
    public List<(byte Type, byte[] Data)> Records { get; } = [];

    public bool IsClosed => _mesh.IsClosed(Id, out _);

    /// <summary>A mesh named "self" that speaks SPTPS and knows "beta" and "gamma" with key A of the vectors.</summary>
    public static MeshHarness Mesh(Func<MeshSettings, MeshSettings>? configure = null)
    {
        MeshHarness mesh = new(settings =>
        {
            settings = settings with { BypassSecurity = false, Identity = SptpsVectors.B, SpeaksSptps = true, KnownKeys = new KeysInMemory() };
            return configure?.Invoke(settings) ?? settings;
        });
        foreach (string name in new[] { "beta", "gamma" })
            mesh.HostFiles[name] = new PeerSettings { Ed25519Key = SptpsVectors.A.Public };
        return mesh.Start();
    }

    /// <summary>Connects and completes the SPTPS handshake; no ACK is sent.</summary>
    public static SptpsPeer Shake(MeshHarness mesh, string name = "beta")
    {
        ConnectionId id = mesh.Accept();
        mesh.Say(id, $"0 {name} 17.7");
        byte[] first = mesh.HeardBytes(id);
        int line = Array.IndexOf(first, (byte)'\n') + 1;
        Assert.Equal("0 self 17.7\n", Encoding.ASCII.GetString(first[..line]));
        SptpsPeer peer = new(mesh, id, new(new(
            SptpsVectors.A, SptpsVectors.B.Public, initiator: true, SptpsHandshake.Label("TCP", name, "self"), new SystemRandom())));
        peer._waiting.AddRange(first[line..]);
        peer.Feed(peer._records.Start().ToArray());
        Assert.True(peer._records.IsReady);
        return peer;
    }

    /// <summary>A neighbour that is reachable; what was said so far is forgotten.</summary>
    public static SptpsPeer Join(MeshHarness mesh, string name = "beta", string options = "700000c")
    {
        SptpsPeer peer = Shake(mesh, name);
        peer.Say($"4 655 10 {options}", $"12 1 {name} self 192.0.2.1 655 {options} 10");
        peer.Heard.Clear();
        return peer;
    }

    /// <summary>Connects to redeem an invitation.</summary>
    public static SptpsPeer Guest(MeshHarness mesh, Ed25519PublicKey invitation, out string[] lines)
    {
        Ed25519Identity throwAway = Ed25519Identity.Generate(new SystemRandom());
        ConnectionId id = mesh.Accept();
        mesh.Say(id, $"0 ?{throwAway.Public} 17.1");
        byte[] first = mesh.HeardBytes(id);
        int line = Array.IndexOf(first, (byte)'\n') + 1, end = Array.IndexOf(first, (byte)'\n', line) + 1;
        lines = Encoding.ASCII.GetString(first[..end]).Split('\n', StringSplitOptions.RemoveEmptyEntries);
        SptpsPeer peer = new(mesh, id, new(new(throwAway, invitation, initiator: true, Encoding.ASCII.GetBytes("tinc invitation"), new SystemRandom())));
        peer._waiting.AddRange(first[end..]);
        peer.Feed(peer._records.Start().ToArray());
        return peer;
    }

    public void Say(params string[] lines)
    {
        foreach (string line in lines)
            SendRecord(0, Encoding.Latin1.GetBytes(line + "\n"));
    }

    public void SendRecord(byte type, ReadOnlySpan<byte> data) => Feed(Seal(type, data));

    public byte[] Seal(byte type, ReadOnlySpan<byte> data)
    {
        byte[] record = new byte[_records.RecordLength(data.Length)];
        data.CopyTo(record.AsSpan(SptpsRecords.HeaderLength));
        _records.Seal(type, record);
        return record;
    }

    /// <summary>Begins a re-key.</summary>
    public void Rekey() => Feed(_records.Start().ToArray());

    public void Feed(byte[] bytes)
    {
        _mesh.Feed(Id, bytes);
        Listen();
    }

    /// <summary>Takes what the mesh has sent since.</summary>
    public void Listen()
    {
        _waiting.AddRange(_mesh.HeardBytes(Id));
        while (true)
        {
            if (Heard.Count > 0 && Heard[^1].StartsWith("21 ", StringComparison.Ordinal))
            {
                int raw = int.Parse(Heard[^1][3..], System.Globalization.CultureInfo.InvariantCulture);
                Heard.Add("raw " + Convert.ToHexStringLower([.. _waiting[..raw]]));
                _waiting.RemoveRange(0, raw);
            }

            SptpsRead result = _records.Read(_waiting.ToArray(), SptpsRecords.MaxData, out int length, out byte type, out ReadOnlySpan<byte> data);
            if (result == SptpsRead.More)
                return;
            Assert.NotEqual(SptpsRead.Broken, result);
            _waiting.RemoveRange(0, length);
            if (result == SptpsRead.Application)
            {
                Records.Add((type, data.ToArray()));
                Heard.Add(Encoding.Latin1.GetString(data).TrimEnd('\n'));
            }
            else if (!_records.Reply.IsEmpty)
            {
                _mesh.Feed(Id, _records.Reply);
                _waiting.AddRange(_mesh.HeardBytes(Id));
            }
        }
    }
}
