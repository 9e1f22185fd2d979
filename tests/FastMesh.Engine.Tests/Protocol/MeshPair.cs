using FastMesh.Engine.Protocol;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>
/// Two meshes, "alice" who connects to "bob", joined by meta connections in memory on which a man in the middle may sit. He sees each stream as
/// messages: lines as long as it is text, then SPTPS records.
/// </summary>
internal sealed class MeshPair
{
    private readonly List<Link> _links = [];
    private int _dialled;

    public MeshPair(Func<MeshSettings, MeshSettings> alice, Func<MeshSettings, MeshSettings> bob, PeerSettings? aliceOfBob, PeerSettings? bobOfAlice)
    {
        Alice = new(settings => alice(settings with { Name = "alice", BypassSecurity = false, ConnectTo = ["bob"] }), seed: 1);
        Bob = new(settings => bob(settings with { Name = "bob", BypassSecurity = false }), seed: 2);
        if (aliceOfBob is not null)
            Alice.HostFiles["bob"] = aliceOfBob with { Addresses = [new("192.0.2.2", "655")] };
        if (bobOfAlice is not null)
            Bob.HostFiles["alice"] = bobOfAlice;
    }

    public MeshHarness Alice { get; }

    public MeshHarness Bob { get; }

    /// <summary>What becomes of a message: (connection number, from alice, number of the message in its direction, message).</summary>
    public Func<int, bool, int, byte[], byte[][]> Tamper { get; set; } = (_, _, _, message) => [message];

    public List<Link> Links => _links;

    public bool IsActive => HasActive(Alice) && HasActive(Bob);

    public static bool HasActive(MeshHarness mesh) => mesh.Mesh.DescribeConnections().Any(line =>
        (Convert.ToInt32(line.Split("status ")[1].Split(' ')[0], 16) & 2) != 0);

    public MeshPair Start()
    {
        Bob.Start();
        Alice.Start();
        Pump();
        return this;
    }

    public void Run(double seconds)
    {
        for (double at = 0; at < seconds; at += 0.5)
        {
            Alice.WaitSeconds(0.5);
            Bob.WaitSeconds(0.5);
            Pump();
        }
    }

    public void Pump()
    {
        bool busy = true;
        while (busy)
        {
            busy = false;
            while (Alice.Taken<MeshAction.Connect>().Skip(_dialled).FirstOrDefault() is { } connect)
            {
                busy = true;
                Link link = new(_dialled++, connect.Connection, Bob.Accept("192.0.2.1"));
                _links.Add(link);
                Alice.Do((m, now) => m.HandleConnected(link.Alice, now));
            }

            foreach (Link link in _links)
            {
                while (Pass(link, fromAlice: true) | Pass(link, fromAlice: false))
                    busy = true;
                busy |= Close(link);
            }
        }
    }

    private bool Pass(Link link, bool fromAlice)
    {
        Link.Direction direction = fromAlice ? link.FromAlice : link.FromBob;
        byte[] bytes = fromAlice ? Alice.HeardBytes(link.Alice) : Bob.HeardBytes(link.Bob);
        direction.Add(bytes);
        while (direction.TryTake(out byte[] message))
        {
            foreach (byte[] part in Tamper(link.Number, fromAlice, direction.Messages.Count - 1, message))
                Deliver(link, toBob: fromAlice, part);
        }

        return bytes.Length > 0;
    }

    private void Deliver(Link link, bool toBob, byte[] bytes)
    {
        if (toBob)
            Bob.Feed(link.Bob, bytes);
        else
            Alice.Feed(link.Alice, bytes);
    }

    /// <summary>An end that closes is seen by the other; one that goes to the tarpit is not.</summary>
    private bool Close(Link link)
    {
        if (link.Closed)
            return false;
        bool alice = Alice.IsClosed(link.Alice, out bool aliceInTarpit), bob = Bob.IsClosed(link.Bob, out bool bobInTarpit);
        if ((!alice || aliceInTarpit) && (!bob || bobInTarpit))
            return false;
        link.Closed = true;
        if (!bob)
            Bob.Do((m, now) => m.HandleClosed(link.Bob, CloseReason.EndOfStream, "", now));
        if (!alice)
            Alice.Do((m, now) => m.HandleClosed(link.Alice, CloseReason.EndOfStream, "", now));
        return true;
    }

    internal sealed class Link(int number, ConnectionId alice, ConnectionId bob)
    {
        public int Number => number;

        public ConnectionId Alice => alice;

        public ConnectionId Bob => bob;

        public bool Closed { get; set; }

        public Direction FromAlice { get; } = new();

        public Direction FromBob { get; } = new();

        /// <summary>Whether both sides have spoken the text of tinc 1.0's handshake.</summary>
        public bool IsLegacy => FromAlice.Lines.Concat(FromBob.Lines).Any(line => line.StartsWith("1 ", StringComparison.Ordinal));

        internal sealed class Direction
        {
            private readonly List<byte> _waiting = [];
            private bool _isSealed;

            public List<byte[]> Messages { get; } = [];

            public IEnumerable<string> Lines => Messages.Select(System.Text.Encoding.Latin1.GetString);

            public void Add(byte[] bytes) => _waiting.AddRange(bytes);

            /// <summary>A line, a record, or, once it is neither, whatever there is.</summary>
            public bool TryTake(out byte[] message)
            {
                message = [];
                if (_waiting.Count == 0)
                    return false;
                int length = _waiting.Count;
                if (Messages.Count == 0 || (_waiting[0] == (byte)'1' && Messages.Count == 1))
                    length = _waiting.IndexOf((byte)'\n') + 1;
                else if (_waiting[0] == 0 && _waiting.Count >= 3 && (Messages.Count == 1 || _isSealed))
                    length = Math.Min(_waiting.Count, RecordLength());
                if (length <= 0)
                    return false;
                message = [.. _waiting[..length]];
                _waiting.RemoveRange(0, length);
                Messages.Add(message);
                return true;
            }

            private int RecordLength()
            {
                _isSealed = true;
                int data = (_waiting[0] << 8) + _waiting[1];
                return 3 + data + (Messages.Count >= 3 ? 16 : 0); // ID, KEX and SIG are in clear
            }
        }
    }
}
