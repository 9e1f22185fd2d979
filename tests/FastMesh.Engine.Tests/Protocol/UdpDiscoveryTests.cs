using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>Probes, replies and their times (tinc 1.1 reference, 7.1, 7.2).</summary>
public sealed class UdpDiscoveryTests
{
    private readonly Node _node = new Graph("self").GetOrAdd("peer");
    private readonly MeshSettings _settings = new() { Name = "self" };
    private readonly UdpDiscovery _discovery;
    private Instant _now = new(1_000_000);

    public UdpDiscoveryTests()
    {
        _discovery = new UdpDiscovery(_node);
        _node.Options = (EdgeOptions)0x0700_000c;
    }

    [Fact]
    public void A_request_is_fourteen_zero_bytes_and_random_ones()
    {
        byte[] request = Request();
        Assert.Equal(18, request.Length);
        Assert.All(request[..14], octet => Assert.Equal(0, octet));
        Assert.NotEqual(request[14..], Request()[14..]);
    }

    [Theory]
    [InlineData(18, "0012")] // the example of the reference, chapter 12
    [InlineData(1439, "059F")]
    public void The_reply_to_a_node_that_knows_it_is_short_and_tells_the_length(int length, string hex)
    {
        byte[] request = new byte[length];
        (request[14], request[15], request[16], request[17]) = (1, 2, 3, 4);
        Assert.Equal("02" + hex + "0000000000000000000000" + "01020304", Convert.ToHexString(_discovery.MakeReply(request)));
    }

    [Fact]
    public void The_reply_to_an_older_node_is_the_request_itself_as_type_1()
    {
        _node.Options = (EdgeOptions)0x0200_000c;
        byte[] reply = _discovery.MakeReply(new byte[77]);
        Assert.Equal((77, 1), (reply.Length, reply[0]));
    }

    [Fact]
    public void A_FastMesh_node_knows_the_short_reply_whatever_its_version()
    {
        (_node.Options, _node.Protocol) = ((EdgeOptions)0x0001_000c, NodeProtocol.FastMesh);
        Assert.Equal([2, 0, 77], _discovery.MakeReply(new byte[77])[..3]);
    }

    [Fact]
    public void Requests_come_every_two_seconds_until_one_is_answered_then_every_ten()
    {
        Assert.Equal([0, 2, 4, 6], TimesOfRequests(seconds: 7));
        Answer(Request());
        Assert.True(_node.UdpConfirmed);
        Assert.Equal([9, 19], TimesOfRequests(seconds: 20)); // the last one was a second ago
    }

    [Fact]
    public void Without_an_answer_for_thirty_seconds_UDP_counts_as_lost()
    {
        Answer(Request());
        Assert.Equal(_now + TimeSpan.FromSeconds(30), _discovery.Expiry);
        Wait(29.9);
        Assert.False(_discovery.HasExpired(_now));
        Wait(0.1);
        Assert.True(_discovery.HasExpired(_now));
        _discovery.Reset();
        Assert.False(_node.UdpConfirmed);
        Assert.False(_discovery.HasExpired(_now));
    }

    [Fact]
    public void The_round_trip_is_that_of_the_probe_that_was_answered()
    {
        byte[] first = Request();
        Wait(0.05);
        byte[] second = Request();
        Wait(0.04);
        Answer(first);
        Assert.Equal(90, _node.Rtt!.Value.TotalMilliseconds);
        Answer(second);
        Assert.Equal(40, _node.Rtt!.Value.TotalMilliseconds);
        Wait(3);
        Assert.Equal(0, _discovery.HandleReply(new byte[500], _settings, _now)); // to nothing that was asked
        Assert.Equal(40, _node.Rtt!.Value.TotalMilliseconds);
    }

    [Fact]
    public void A_report_nobody_asked_for_comes_every_nine_seconds_at_most_and_only_if_something_arrived()
    {
        Assert.Null(_discovery.MakeReport(_settings, _now));
        Answer(Request());
        _discovery.MakeReport(_settings, _now); // of what the answer was made from
        Wait(9);
        Assert.Null(_discovery.MakeReport(_settings, _now));
        _discovery.MakeReply(new byte[500]);
        _discovery.MakeReply(new byte[100]);
        byte[] report = _discovery.MakeReport(_settings, _now)!;
        Assert.Equal("0201F4" + new string('0', 30), Convert.ToHexString(report));
        _discovery.MakeReply(new byte[200]);
        Wait(8.9);
        Assert.Null(_discovery.MakeReport(_settings, _now));
        Wait(0.1);
        Assert.Equal([2, 0, 200], _discovery.MakeReport(_settings, _now)![..3]);
        Wait(20);
        Assert.Null(_discovery.MakeReport(_settings, _now));
    }

    [Theory]
    [InlineData(1, 700, 700)]
    [InlineData(2, 18, 0x0405)]
    [InlineData(3, 700, 700)] // unknown types count as type 1
    public void A_reply_proves_its_own_length_or_the_one_it_tells(byte type, int length, int proven)
    {
        byte[] reply = [.. Request(), .. new byte[length - 18]];
        (reply[0], reply[1], reply[2]) = (type, 4, 5);
        Assert.Equal(proven, _discovery.HandleReply(reply, _settings, _now));
    }

    /// <summary>tincd takes it as proof, also when the path has become shorter since.</summary>
    [Fact]
    public void A_report_that_answers_nothing_proves_only_that_UDP_works()
    {
        byte[] report = new byte[18];
        (report[0], report[1], report[2]) = (2, 4, 5);
        Assert.Equal(0, _discovery.HandleReply(report, _settings, _now));
        Assert.True(_node.UdpConfirmed);
    }

    [Fact]
    public void An_address_just_confirmed_is_kept_for_a_second()
    {
        Assert.True(_discovery.MayMove(_now));
        Answer(Request());
        Assert.False(_discovery.MayMove(_now));
        Wait(1);
        Assert.True(_discovery.MayMove(_now));
        Answer(Request()); // nothing new
        Assert.True(_discovery.MayMove(_now));
    }

    [Fact]
    public void With_UDPDiscovery_off_nothing_is_asked() =>
        Assert.False(_discovery.TryRequest(_settings with { UdpDiscovery = false }, _now));

    private byte[] Request() => _discovery.MakeRequest(UdpDiscovery.ProbeLength, new SystemRandom(), _now);

    private void Answer(byte[] request) => _discovery.HandleReply(_discovery.MakeReply(request), _settings, _now);

    private void Wait(double seconds) => _now += TimeSpan.FromSeconds(seconds);

    private List<int> TimesOfRequests(int seconds)
    {
        List<int> times = [];
        for (int second = 0; second < seconds; second++, Wait(1))
        {
            if (_discovery.TryRequest(_settings, _now))
                times.Add(second);
        }

        return times;
    }
}
