using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>
/// A tinc 1.1 node "beta" behind a connection of <see cref="MeshHarness"/>, with the manners of tincd (tinc 1.1 reference, 5): it becomes responder whenever
/// somebody starts, whatever it was doing.
/// </summary>
internal sealed class SptpsNode
{
    public const string Options = "700000c";

    /// <summary>A frame to seal.</summary>
    public static readonly byte[] Frame = [.. new byte[12], 8, 0, 0x45, 1, 2, 3];

    private readonly MeshHarness _mesh;
    private readonly TestRandom _random = new(77);

    public SptpsNode(MeshHarness mesh, bool isKnown = true, string name = "beta")
    {
        (_mesh, Name, Identity) = (mesh, name, Ed25519Identity.Generate(_random));
        if (isKnown)
            mesh.HostFiles[name] = new PeerSettings { Ed25519Key = Identity.Public };
        Connection = mesh.JoinReachable(name, Options);
    }

    public static MeshHarness Mesh(Func<MeshSettings, MeshSettings>? configure = null) => new MeshHarness(settings =>
    {
        settings = settings with { Identity = Ed25519Identity.Generate(new TestRandom(1)), SpeaksSptps = true };
        return configure?.Invoke(settings) ?? settings;
    }).Start();

    public string Name { get; }

    public Ed25519Identity Identity { get; }

    public ConnectionId Connection { get; }

    public SptpsSession? Session { get; private set; }

    /// <summary>Lines of REQ_KEY and ANS_KEY heard so far.</summary>
    public List<string> Heard { get; } = [];

    public int Compression { get; init; }

    /// <summary>Starts a session as tincd does.</summary>
    public void Start()
    {
        Session = Make(initiator: true);
        Session.Start(_mesh.Now);
        foreach (byte[] kex in Session.TakeDatagrams())
            _mesh.Say(Connection, $"15 {Name} self 15 {TincBase64.Encode(kex)}");
    }

    public void SendRecords()
    {
        foreach (byte[] record in Session!.TakeDatagrams())
            _mesh.Say(Connection, $"16 {Name} self {TincBase64.Encode(record)} -1 -1 -1 {Compression}");
    }

    /// <summary>Reads what came, answers, and so on until it is quiet.</summary>
    public void Answer()
    {
        for (string[] lines = Listen(); lines.Length > 0; lines = Listen())
        {
            foreach (string line in lines)
                Take(line.Split(' '));
        }
    }

    /// <summary>The session requests that came, which are not answered.</summary>
    public string[] Listen()
    {
        string[] lines = [.. _mesh.Heard(Connection).Where(line => line.StartsWith("15 self ", StringComparison.Ordinal)
            || line.StartsWith("16 self ", StringComparison.Ordinal))];
        Heard.AddRange(lines);
        return lines;
    }

    /// <summary>Answers the probes that came up to a length, until UDP is proven.</summary>
    public void ProveUdp(int longest = 1518)
    {
        for (int i = 0; i < 20; i++)
        {
            MeshAction.SendProbe[] probes = [.. _mesh.Taken<MeshAction.SendProbe>().Where(probe => probe.Frame.Length <= longest && probe.Frame[0] == 0)];
            _mesh.Actions.Clear();
            foreach (MeshAction.SendProbe probe in probes)
            {
                byte[] reply = [2, (byte)(probe.Frame.Length >> 8), (byte)probe.Frame.Length, .. probe.Frame[3..18]];
                _mesh.Do((mesh, now) => mesh.HandleProbe(probe.Node, reply, now));
            }

            _mesh.WaitSeconds(0.1);
        }

        Assert.True(_mesh.Route(Name)!.UdpConfirmed);
    }

    public byte[] Seal(byte[] frame)
    {
        PacketSealer sealer = Session!.Sealer!;
        byte[] output = new byte[sealer.SealedLength(frame.Length)];
        return output[..sealer.Seal([.. new byte[PacketSealer.Room], .. frame], output, direct: true)];
    }

    public OpenResult Open(byte[] datagram)
    {
        if (Session?.Opener is not { } opener)
            return OpenResult.Malformed;
        return opener.Open(datagram, new byte[opener.OutputLength(datagram.Length)], out _, out _);
    }

    /// <summary>Frames pass in both directions.</summary>
    public void AssertPasses()
    {
        PeerRoute route = _mesh.Route(Name)!;
        Assert.NotNull(route.Sealer);
        byte[] output = new byte[route.Sealer.SealedLength(Frame.Length)];
        byte[] datagram = output[..route.Sealer.Seal([.. new byte[PacketSealer.Room], .. Frame], output, direct: true)];
        Assert.Equal(OpenResult.Opened, Open(datagram));
        datagram = Seal(Frame);
        output = new byte[route.Opener!.OutputLength(datagram.Length)];
        Assert.Equal(OpenResult.Opened, route.Opener.Open(datagram, output, out _, out _));
    }

    private void Take(string[] fields)
    {
        if (fields is ["15", _, _, "15", var kex])
        {
            Session = Make(initiator: false);
            Session.Start(_mesh.Now);
            Session.Handle(Decode(kex), _mesh.Now);
        }
        else if (fields[0] == "16" && Session is not null)
        {
            Session.Handle(Decode(fields[3]), _mesh.Now);
        }
        else if (fields is ["15", _, _, "19"])
        {
            _mesh.Say(Connection, $"15 {Name} self 20 {Identity.Public}");
        }

        if (Session is null)
            return;
        if (Session.AwaitsSwitch)
            Session.SwitchOutput();
        SendRecords();
    }

    private SptpsSession Make(bool initiator)
    {
        (string first, string second) = initiator ? (Name, "self") : ("self", Name);
        var handshake = new SptpsHandshake(
            Identity, _mesh.Settings.Identity!.Public, initiator, SptpsHandshake.Label("UDP", first, second), _random);
        return new SptpsSession(
            new DatagramSession(SessionFormat.Sptps, DataSuite.TincChaCha20Poly1305, NodeId.Of(Name), NodeId.Of("self"), false, true, 0),
            handshake, 16, Compression, _mesh.Now);
    }

    private static byte[] Decode(string text)
    {
        Assert.True(TincBase64.TryDecode(text, out byte[] bytes));
        return bytes;
    }
}
