using FastMesh.Engine.DataPath;
using FastMesh.Engine.Routing;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>When a shard reads the device because it has written to it: while the kernel answers at once, and not when it does not.</summary>
public sealed class DeviceAnswerTests : IDisposable
{
    private readonly TestNetwork _network = new();
    private readonly Node _b;
    private readonly TestShard _shard;
    private int _reads;

    public DeviceAnswerTests()
    {
        _network.Own(_network.Self, "10.1.0.0/16");
        _b = _network.Neighbour("b", "10.2.0.0/16");
        _shard = new TestShard(_network.Build());
        _shard.Device.Receiving = () => _reads++;
    }

    public void Dispose() => _shard.Dispose();

    [Fact]
    public void An_answer_that_waits_when_the_device_was_written_is_sent_in_the_same_turn()
    {
        for (int i = 0; i < 3; i++)
        {
            Answer();
            Write();
            Assert.Empty(_shard.Device.Input);
        }
    }

    [Fact]
    public void Without_an_answer_the_next_write_is_not_followed_by_a_read()
    {
        Write();
        Assert.Equal(1, _reads);
        Write();
        Write();
        Assert.Equal(1, _reads);
        Assert.Equal(3, _shard.Device.Output.Count);
    }

    [Fact]
    public void A_packet_soon_after_a_write_is_an_answer_and_the_next_one_is_not_waited_for()
    {
        Write();
        Answer();
        _shard.Turn(deviceReady: true);
        Assert.Empty(_shard.Device.Input);
        Answer();
        Write();
        Assert.Empty(_shard.Device.Input);
    }

    [Fact]
    public void A_packet_much_later_is_no_answer()
    {
        Write();
        _shard.Now += TimeSpan.FromMilliseconds(10);
        Answer();
        _shard.Turn(deviceReady: true);
        Assert.Empty(_shard.Device.Input);
        Assert.Equal(2, _reads);
        Write();
        Assert.Equal(2, _reads);
    }

    private void Answer() => _shard.Device.Input.Enqueue(new Captured(TestFrames.Udp4("10.1.0.1", "10.2.0.1", 10)));

    /// <summary>One turn that gives the device a packet.</summary>
    private void Write()
    {
        _shard.Leave(new(OrderKind.Route, _b.Id), TestFrames.Udp4("10.2.0.1", "10.1.0.1", 10));
        _shard.Turn(deviceReady: false);
    }
}
