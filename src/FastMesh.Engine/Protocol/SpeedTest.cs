using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>Where a speed test is, in this order.</summary>
internal enum SpeedPhase
{
    /// <summary>Waits for a session, and for the way by UDP to be found.</summary>
    Session,

    /// <summary>Asks the other node.</summary>
    Request,

    /// <summary>Measures round trips.</summary>
    Idle,

    /// <summary>Sends load.</summary>
    There,

    /// <summary>Waits for the last of it to be counted.</summary>
    ThereEnd,

    /// <summary>Gets load.</summary>
    Back,

    /// <summary>Waits for the last of it.</summary>
    BackEnd,
}

/// <summary>The speed test that this node makes. <c>Mesh.Speed</c> moves it on.</summary>
/// <param name="node">With whom.</param>
/// <param name="id">A random number.</param>
/// <param name="wanted">Load in each direction, how long.</param>
/// <param name="now">Current time.</param>
internal sealed class SpeedTest(Routing.Node node, uint id, TimeSpan wanted, Instant now)
{
    /// <summary>Numbers of the orders to send.</summary>
    public const int PingRun = 1, LoadRun = 2;

    public Routing.Node Node { get; } = node;

    public uint Id { get; } = id;

    public int Milliseconds { get; set; } = (int)wanted.TotalMilliseconds;

    /// <summary>Load in one direction at most, bytes.</summary>
    public long Bytes { get; set; }

    public SpeedPhase Phase { get; private set; } = SpeedPhase.Session;

    public Instant PhaseBegan { get; private set; } = now;

    /// <summary>When the last question of this phase was sent, or null.</summary>
    public Instant? Asked { get; set; }

    /// <summary>When the operator was last told.</summary>
    public Instant Told { get; set; } = now;

    /// <summary>What the other node last reported.</summary>
    public SpeedCounts Theirs { get; set; }

    /// <summary>What the own shards have counted.</summary>
    public SpeedCounts Own { get; set; }

    /// <summary>Whether <see cref="Theirs"/> came in this phase.</summary>
    public bool HasReport { get; set; }

    public SpeedReport Report { get; set; } = new() { Node = node.Name, State = "running", Phase = "session" };

    public void Enter(SpeedPhase phase, Instant now)
    {
        (Phase, PhaseBegan, HasReport, Asked) = (phase, now, false, null);
        string name = phase switch
        {
            SpeedPhase.Session => "session",
            SpeedPhase.Request => "request",
            SpeedPhase.Idle => "idle",
            SpeedPhase.There or SpeedPhase.ThereEnd => "there",
            _ => "back",
        };
        Report = Report with { Phase = name };
    }
}

/// <summary>The speed test that another node makes with this one.</summary>
/// <param name="Node">Its id.</param>
/// <param name="Test">Its number.</param>
/// <param name="Milliseconds">Load granted in each direction.</param>
/// <param name="Bytes">The same, bytes.</param>
internal sealed record SpeedGuest(int Node, uint Test, int Milliseconds, long Bytes)
{
    /// <summary>Whether load was sent already.</summary>
    public bool HasGone { get; set; }

    /// <summary>Whether it wants to know what was counted.</summary>
    public bool Asks { get; set; }

    /// <summary>What the own shards had counted when it last asked; its load counts against the hour's budget.</summary>
    public SpeedCounts Counted { get; set; }
}
