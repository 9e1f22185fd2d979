using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// Speed tests between FastMesh nodes. Both ends agree on one in records of their session, so that no one in between can cause load; the shards send and count
/// it (<see cref="SpeedOrder"/>), by the way that packets take.
/// <code>
/// who asks                        who is asked
///   Request  ----------------->
///            &lt;-----------------  Answer    for how long, or why not
///   single records  ---------->             round trips without load
///   load  -------------------->   counts
///   Ask  --------------------->
///            &lt;-----------------  Report    what was counted
///   Go  ---------------------->
///     counts  &lt;--------------  load
///   Ask  --------------------->
///            &lt;-----------------  Report    what was sent
///   Done  -------------------->
/// </code>
/// Questions are repeated until they are answered. A node takes part in one test at a time.
/// </summary>
public sealed partial class Mesh
{
    private readonly Dictionary<int, Instant> _speedTested = [];
    private SpeedTest? _speedTest;
    private SpeedGuest? _speedGuest;
    private long _speedSpent;
    private Instant _speedHour;

    /// <summary>Begins a test. Its course is told by <see cref="MeshAction.ReportSpeed"/>.</summary>
    /// <param name="name">With whom.</param>
    /// <param name="wanted">Load in each direction, how long.</param>
    /// <param name="now">Current time.</param>
    /// <returns>Null, or why not and what is possible instead.</returns>
    public string? StartSpeedTest(string name, TimeSpan wanted, Instant now)
    {
        UpdateGraph(now);
        if (_graph.Find(name) is not { } node)
            return $"No node {name} is known";
        if (node == Self)
            return $"{name} is this node itself";
        if (!node.Reachable)
            return $"{name} is not reachable; `why {name}` says more";
        if (node.Protocol != NodeProtocol.FastMesh)
            return NeedsFastMesh(name, node.Protocol == NodeProtocol.Sptps ? "speaks tinc 1.1" : "speaks tinc 1.0");
        if (_speedTest is not null || _speedGuest is not null)
            return "A speed test is under way; a node takes part in one at a time";
        if (wanted > ProtocolLimits.MaxSpeedTest)
            wanted = ProtocolLimits.MaxSpeedTest;
        _speedTest = new SpeedTest(node, _random.NextUInt32(), wanted, now);
        StepSpeedTest(now);
        return null;
    }

    /// <summary>Ends the own test; nothing more is told.</summary>
    public void StopSpeedTest()
    {
        if (_speedTest is not { } test)
            return;
        _actions.Enqueue(new MeshAction.SendSpeedRecord(test.Node.Id, SpeedRecord.Compose(SpeedKind.Done, test.Id)));
        _actions.Enqueue(new MeshAction.OrderSpeed(test.Node.Id, new(SpeedTask.Stop, test.Id)));
        _deadlines.Cancel(TimerKind.SpeedTest);
        _speedTest = null;
    }

    /// <summary>A record of a speed test came from a node, other than load.</summary>
    public void HandleSpeedRecord(int node, ReadOnlySpan<byte> frame, Instant now)
    {
        if (!_peers.TryGetValue(node, out Peer? peer) || peer.Node is not { Reachable: true, Protocol: NodeProtocol.FastMesh }
            || !SpeedRecord.TryRead(frame, out SpeedRecord record))
            return;
        if (record.Kind == SpeedKind.Request)
            AnswerSpeedRequest(peer.Node, record, now);
        else if (_speedGuest is { } guest && (guest.Node, guest.Test) == (node, record.Test))
            ServeSpeedGuest(guest, record.Kind);
        else if (_speedTest is { } test && (test.Node.Id, test.Id) == (node, record.Test))
            HandleSpeedAnswer(test, record, now);
    }

    /// <summary>The answer to a <see cref="MeshAction.CountSpeed"/>.</summary>
    public void HandleSpeedCounts(uint test, SpeedCounts counts, Instant now)
    {
        if (_speedTest is { } own && own.Id == test)
            own.Own = counts;
        if (_speedGuest is not { } guest || guest.Test != test)
            return;
        guest.Counted = counts;
        if (guest.Asks)
            _actions.Enqueue(new MeshAction.SendSpeedRecord(guest.Node, SpeedRecord.Compose(SpeedKind.Report, test, counts.ToFields())));
        guest.Asks = false;
    }

    private static string NeedsFastMesh(string name, string what) =>
        $"{name} {what}: a speed test needs a FastMesh of this version or newer at both ends. `why {name}` shows path, MTU and round-trip time; iperf3 through the tunnel measures throughput";

    private void StepSpeedTest(Instant now)
    {
        if (_speedTest is not { } test)
            return;
        _deadlines.Set(TimerKind.SpeedTest, 0, now + ProtocolLimits.SpeedStep);
        if (!test.Node.Reachable || test.Node.Protocol != NodeProtocol.FastMesh)
        {
            FailSpeedTest($"{test.Node.Name} is not reachable any more");
            return;
        }

        Peer peer = PeerOf(test.Node);
        TendPath(peer, now);
        _actions.Enqueue(new MeshAction.CountSpeed(test.Id));
        TimeSpan inPhase = now - test.PhaseBegan;
        switch (test.Phase)
        {
            case SpeedPhase.Session:
                AwaitSpeedPath(test, peer, inPhase, now);
                break;
            case SpeedPhase.Request:
                AskSpeed(test, SpeedKind.Request, now, test.Milliseconds);
                if (inPhase >= ProtocolLimits.SpeedPatience)
                    FailSpeedTest($"{test.Node.Name} does not answer; is its FastMesh older than this one?");
                break;
            case SpeedPhase.Idle when inPhase >= ProtocolLimits.SpeedIdle:
                test.Report = test.Report with { Idle = SpeedRoundTripTimes.Of(test.Own.RoundTrips) };
                EnterSpeed(test, SpeedPhase.There, new(SpeedTask.Load, test.Id, SpeedTest.LoadRun, test.Milliseconds, test.Bytes), now);
                break;
            case SpeedPhase.There or SpeedPhase.ThereEnd:
                StepSpeedThere(test, inPhase, now);
                break;
            case SpeedPhase.Back or SpeedPhase.BackEnd:
                StepSpeedBack(test, inPhase, now);
                break;
        }

        TellSpeed(test, now);
    }

    /// <summary>Without traffic for it before, a node's way is still to be found: then the first packets go by TCP or a relay.</summary>
    private void AwaitSpeedPath(SpeedTest test, Peer peer, TimeSpan waited, Instant now)
    {
        Node node = test.Node;
        bool byConnection = peer.Connection is not null && IsTcpOnly(node), isFound = node.UdpConfirmed && (peer.PathMtu.IsSettled || !node.Options.HasFlag(EdgeOptions.PmtuDiscovery));
        if (node.Sealer is not null && peer.FastMesh?.Agreement is { SpeedTest: false })
            FailSpeedTest(NeedsFastMesh(node.Name, "has an older FastMesh"));
        else if (byConnection || (node.Sealer is not null && (isFound || waited >= ProtocolLimits.SpeedPatience)))
            test.Enter(SpeedPhase.Request, now);
        else if (waited >= 2 * ProtocolLimits.SpeedPatience)
            FailSpeedTest($"There is no session with {node.Name}; `why {node.Name}` says more");
    }

    private void StepSpeedThere(SpeedTest test, TimeSpan inPhase, Instant now)
    {
        AskSpeed(test, SpeedKind.Ask, now);
        bool isFinal = test.Phase == SpeedPhase.ThereEnd && test.HasReport && inPhase >= ProtocolLimits.SpeedDrain;
        test.Report = test.Report with { There = SpeedDirection.Of(test.Own, test.Theirs, isFinal) };
        if (test.Phase == SpeedPhase.There && test.Own is { Run: SpeedTest.LoadRun, IsSending: false })
            test.Enter(SpeedPhase.ThereEnd, now);
        else if (isFinal)
            EnterSpeed(test, SpeedPhase.Back, new(SpeedTask.Listen, test.Id), now);
        else
            ExpectSpeed(test, inPhase);
    }

    private void StepSpeedBack(SpeedTest test, TimeSpan inPhase, Instant now)
    {
        bool hasBegun = test.HasReport && test.Theirs.Run > 0;
        AskSpeed(test, hasBegun ? SpeedKind.Ask : SpeedKind.Go, now);
        bool isFinal = test.Phase == SpeedPhase.BackEnd && test.HasReport && inPhase >= ProtocolLimits.SpeedDrain;
        test.Report = test.Report with { Back = SpeedDirection.Of(test.Theirs, test.Own, isFinal) };
        if (isFinal)
        {
            _actions.Enqueue(new MeshAction.ReportSpeed(test.Report with { State = "done" }));
            StopSpeedTest();
        }
        else if (test.Phase == SpeedPhase.Back && hasBegun && !test.Theirs.IsSending)
        {
            test.Enter(SpeedPhase.BackEnd, now);
        }
        else
        {
            ExpectSpeed(test, inPhase);
        }
    }

    private void EnterSpeed(SpeedTest test, SpeedPhase phase, SpeedOrder order, Instant now)
    {
        _actions.Enqueue(new MeshAction.OrderSpeed(test.Node.Id, order));
        test.Enter(phase, now);
    }

    private void ExpectSpeed(SpeedTest test, TimeSpan inPhase)
    {
        if (inPhase >= TimeSpan.FromMilliseconds(test.Milliseconds) + ProtocolLimits.SpeedPatience)
            FailSpeedTest($"{test.Node.Name} does not report any more");
    }

    private void AskSpeed(SpeedTest test, SpeedKind question, Instant now, params ReadOnlySpan<long> fields)
    {
        if (test.Asked is { } last && now - last < ProtocolLimits.SpeedQuestion)
            return;
        test.Asked = now;
        _actions.Enqueue(new MeshAction.SendSpeedRecord(test.Node.Id, SpeedRecord.Compose(question, test.Id, fields)));
    }

    private void HandleSpeedAnswer(SpeedTest test, SpeedRecord record, Instant now)
    {
        if (record.Kind == SpeedKind.Report)
        {
            (test.Theirs, test.HasReport) = (SpeedCounts.Read(record), true);
            return;
        }

        if (record.Kind != SpeedKind.Answer || test.Phase != SpeedPhase.Request)
            return;
        string name = test.Node.Name;
        switch ((SpeedVerdict)record[0])
        {
            case SpeedVerdict.Granted:
                test.Milliseconds = (int)Math.Clamp(record[1], 1, test.Milliseconds);
                test.Bytes = Math.Max(0, record[2]);
                test.Report = test.Report with { Path = WayTo(test.Node) };
                EnterSpeed(test, SpeedPhase.Idle, new(SpeedTask.Ping, test.Id, SpeedTest.PingRun, (int)ProtocolLimits.SpeedIdle.TotalMilliseconds, long.MaxValue), now);
                break;
            case SpeedVerdict.Refused:
                FailSpeedTest($"{name} does not allow speed tests: SpeedTest = no in its tinc.conf");
                break;
            case SpeedVerdict.Busy:
                FailSpeedTest($"{name} takes part in another speed test; try again in half a minute");
                break;
            case SpeedVerdict.TooSoon:
                FailSpeedTest($"{name} allows one speed test a minute to each node; try again in {Math.Max(1, record[1] / 1000)} s");
                break;
            default:
                FailSpeedTest($"{name} has had as much load by speed tests in this hour as it allows");
                break;
        }
    }

    private string WayTo(Node node) => PathTo(node) switch
    {
        { Kind: PathKind.Direct } => "direct",
        { Kind: PathKind.Tcp, By: { } by } => $"over TCP via {by}",
        { By: { } by } => $"via {by}",
        _ => "over TCP",
    };

    private void FailSpeedTest(string error)
    {
        if (_speedTest is not { } test)
            return;
        _actions.Enqueue(new MeshAction.ReportSpeed(test.Report with { State = "failed", Error = error }));
        StopSpeedTest();
    }

    private void TellSpeed(SpeedTest test, Instant now)
    {
        if (_speedTest != test || now - test.Told < ProtocolLimits.SpeedTold)
            return;
        test.Told = now;
        _actions.Enqueue(new MeshAction.ReportSpeed(test.Report));
    }

    /// <summary>Decides on the test that a node wants. Only a node with a session can ask, so its name is proven.</summary>
    private void AnswerSpeedRequest(Node node, SpeedRecord request, Instant now)
    {
        if (_speedGuest is { } present && (present.Node, present.Test) == (node.Id, request.Test))
        {
            AnswerSpeed(node, request.Test, SpeedVerdict.Granted, present.Milliseconds, present.Bytes);
            return;
        }

        if (now - _speedHour >= TimeSpan.FromHours(1))
            (_speedHour, _speedSpent) = (now, 0);
        TimeSpan since = _speedTested.TryGetValue(node.Id, out Instant last) ? now - last : TimeSpan.MaxValue;
        long bytes = (ProtocolLimits.SpeedTestBudget - _speedSpent) / 2;
        if (!_settings.SpeedTest)
        {
            AnswerSpeed(node, request.Test, SpeedVerdict.Refused);
        }
        else if (_speedGuest is not null || _speedTest is not null)
        {
            AnswerSpeed(node, request.Test, SpeedVerdict.Busy);
        }
        else if (since < ProtocolLimits.SpeedTestPause)
        {
            AnswerSpeed(node, request.Test, SpeedVerdict.TooSoon, (long)(ProtocolLimits.SpeedTestPause - since).TotalMilliseconds);
        }
        else if (bytes <= 0)
        {
            AnswerSpeed(node, request.Test, SpeedVerdict.OverBudget);
        }
        else
        {
            int milliseconds = (int)Math.Clamp(request[0], 1, (long)ProtocolLimits.MaxSpeedTest.TotalMilliseconds);
            _speedGuest = new SpeedGuest(node.Id, request.Test, milliseconds, bytes);
            _speedTested[node.Id] = now;
            _deadlines.Set(TimerKind.SpeedGuest, 0, now + (2 * TimeSpan.FromMilliseconds(milliseconds)) + (3 * ProtocolLimits.SpeedPatience));
            _log.Connections.SpeedTestBy(node.Name);
            _actions.Enqueue(new MeshAction.OrderSpeed(node.Id, new(SpeedTask.Listen, request.Test)));
            AnswerSpeed(node, request.Test, SpeedVerdict.Granted, milliseconds, bytes);
        }
    }

    private void AnswerSpeed(Node node, uint test, SpeedVerdict verdict, long milliseconds = 0, long bytes = 0) => _actions.Enqueue(
        new MeshAction.SendSpeedRecord(node.Id, SpeedRecord.Compose(SpeedKind.Answer, test, (long)verdict, milliseconds, bytes)));

    private void ServeSpeedGuest(SpeedGuest guest, SpeedKind question)
    {
        if (question == SpeedKind.Done)
        {
            EndSpeedGuest();
            return;
        }

        if (question == SpeedKind.Go && !guest.HasGone)
        {
            guest.HasGone = true;
            _actions.Enqueue(new MeshAction.OrderSpeed(guest.Node, new(SpeedTask.Load, guest.Test, SpeedTest.LoadRun, guest.Milliseconds, guest.Bytes)));
        }

        if (question is not (SpeedKind.Go or SpeedKind.Ask))
            return;
        guest.Asks = true;
        _actions.Enqueue(new MeshAction.CountSpeed(guest.Test));
    }

    private void EndSpeedGuest()
    {
        if (_speedGuest is not { } guest)
            return;
        _speedSpent += guest.Counted.SentBytes + guest.Counted.ReceivedBytes;
        _actions.Enqueue(new MeshAction.OrderSpeed(guest.Node, new(SpeedTask.Stop, guest.Test)));
        _deadlines.Cancel(TimerKind.SpeedGuest);
        _speedGuest = null;
    }
}
