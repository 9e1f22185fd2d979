using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>The rule: three rounds in a row in which the single probe is answered and fewer than two of the three in the train are.</summary>
public sealed class TrainProbeTests
{
    private readonly Node _node = new Graph("self").GetOrAdd("b");
    private readonly TrainProbe _probe;

    public TrainProbeTests()
    {
        _node.MinMtu = 1400;
        _probe = new TrainProbe(_node);
    }

    [Theory]
    [InlineData("10 10 10", false)]
    [InlineData("11 10 11", false)]
    [InlineData("10 10 12", true)]
    [InlineData("10 10 13 10 10", true)]
    [InlineData("10 10 13 10 10 10", false)]
    [InlineData("00 00 00 00 00", true)] // nothing comes back: that is no sign against trains
    [InlineData("10 00 10 00 10", false)] // nor a sign for them
    [InlineData("10 10 10 13", true)] // they work again
    [InlineData("10 10 10 12 10 10", true)]
    public void Trains_are_given_up_when_only_they_get_lost(string rounds, bool takesTrains)
    {
        foreach (string round in rounds.Split(' '))
        {
            Assert.True(_probe.TryBegin(new SystemRandom(), out byte[] single, out byte[] train));
            Assert.Equal((1399, 1400), (single.Length, train.Length));
            for (int i = 0; i < round[0] - '0'; i++)
                Assert.True(_probe.HandleReply(single));
            for (int i = 0; i < round[1] - '0'; i++)
                Assert.True(_probe.HandleReply(train));
            _probe.End();
        }

        Assert.Equal(takesTrains, _node.TakesTrains);
    }

    [Fact]
    public void Rounds_follow_each_other_at_once_in_doubt_and_seldom_else()
    {
        TimeSpan Round(bool arrives)
        {
            _probe.TryBegin(new SystemRandom(), out byte[] single, out byte[] train);
            _probe.HandleReply(single);
            for (int i = 0; arrives && i < TrainProbe.Datagrams; i++)
                _probe.HandleReply(train);
            return _probe.End();
        }

        Assert.Equal(ProtocolLimits.TrainCheckInterval, Round(true));
        Assert.Equal([TimeSpan.Zero, TimeSpan.Zero, ProtocolLimits.TrainRetryInterval], [Round(false), Round(false), Round(false)]);
        Assert.Equal(ProtocolLimits.TrainRetryInterval, Round(false));
        Assert.Equal(ProtocolLimits.TrainCheckInterval, Round(true));
    }

    [Fact]
    public void Answers_of_other_rounds_and_to_other_probes_do_not_count()
    {
        _probe.TryBegin(new SystemRandom(), out byte[] single, out byte[] train);
        _probe.End();
        Assert.False(_probe.HandleReply(train));
        _probe.TryBegin(new SystemRandom(), out _, out _);
        Assert.False(_probe.HandleReply(single));
        Assert.False(_probe.HandleReply(new byte[18]));
        Assert.False(_probe.HandleReply(new byte[17]));
    }

    [Fact]
    public void Without_a_proven_path_there_is_nothing_to_probe()
    {
        _node.MinMtu = 0;
        Assert.False(_probe.TryBegin(new SystemRandom(), out _, out _));
        Assert.False(_probe.IsOpen);
    }
}
