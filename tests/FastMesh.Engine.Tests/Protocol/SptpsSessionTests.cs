using System.Buffers.Binary;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>SPTPS between nodes: records, numbers, re-keys (tinc 1.1 reference, 3, 5.3); values of its chapter 12.</summary>
public sealed class SptpsSessionTests
{
    private static readonly Instant s_now = new(1000);

    private readonly Ed25519Identity _alice = Ed25519Identity.FromSeed(Run(0x00)), _bob = Ed25519Identity.FromSeed(Run(0x20));
    private readonly SptpsSession _a, _b;

    public SptpsSessionTests()
    {
        byte[] label = SptpsHandshake.Label("UDP", "alice", "bob");
        _a = new SptpsSession(Shape("alice", "bob"), new SptpsHandshake(_alice, _bob.Public, true, label, new Sequence(0x40, 0x80)), 16, 0, s_now);
        _b = new SptpsSession(Shape("bob", "alice"), new SptpsHandshake(_bob, _alice.Public, false, label, new Sequence(0x60, 0xa0)), 16, 0, s_now);
    }

    [Fact]
    public void The_first_handshake_is_that_of_the_reference()
    {
        _a.Start(s_now);
        byte[] kexA = Assert.Single(_a.TakeDatagrams());
        Assert.Equal("00000000" + "80" + "00" + Convert.ToHexStringLower(Run(0x80)) + "2543b92ff1095511476adc8369db6ddc933665a11978dda1404ee1066ca9559d",
            Convert.ToHexStringLower(kexA));
        _b.Start(s_now);
        Assert.True(_b.Handle(kexA, s_now));
        Assert.True(_a.Handle(Assert.Single(_b.TakeDatagrams()), s_now));
        byte[] sigA = Assert.Single(_a.TakeDatagrams());
        Assert.Equal("0000000180" + "6db91ff33049e3fb37b116f12ca95bce4fd28e481fb3512718bbd9b096771b7b81056676da8fe087e16e1a3157d0465d9356b717d513d507753a7d4634d2fc0c",
            Convert.ToHexStringLower(sigA));
        Assert.True(_b.Handle(sigA, s_now));
        byte[] sigB = Assert.Single(_b.TakeDatagrams());
        Assert.Equal("0000000180" + "1b89c2030d8d1d9c54925c94c89f10afe6f634a5cb14a9d5c676a1d1c25ccc741f00684ec3eeb88ce11dac8b23ba5284ab682c6d6a8229c49d741597f01b4a0a",
            Convert.ToHexStringLower(sigB));
        Assert.True(_a.Handle(sigB, s_now));
        Assert.True(_a.IsReady && _b.IsReady);

        byte[] probe = [.. new byte[14], 1, 2, 3, 4];
        Assert.Equal(
            "000000000000" + "408b27d3097e" + "00000002" + "312e4f41aaeb3ff3ca8a3f442a31313d2e3b41" + "8e4762757ad7f8e8b22dd61a25aefee2",
            Convert.ToHexStringLower(Seal(_a, probe)));
    }

    [Fact]
    public void Frames_pass_both_ways_during_and_after_a_re_key()
    {
        Connect();
        AssertPasses(_a, _b);
        AssertPasses(_b, _a);
        for (int round = 0; round < 3; round++)
        {
            (SptpsSession first, SptpsSession second) = round == 1 ? (_b, _a) : (_a, _b);
            Assert.True(first.CanRekey);
            first.Start(s_now);
            byte[] kex = Assert.Single(first.TakeDatagrams());
            Assert.Equal(86, kex.Length); // 3.7
            Assert.True(second.Handle(kex, s_now));
            Exchange(AssertBothWays);
            Assert.True(_a.AwaitsSwitch && _b.AwaitsSwitch);
            _a.SwitchOutput();
            AssertBothWays(); // the opener has the pending key, though the ACK is still under way
            byte[] ack = Assert.Single(_a.TakeDatagrams());
            Assert.Equal(21, ack.Length);
            Assert.True(_b.Handle(ack, s_now));
            AssertBothWays();
            _b.SwitchOutput();
            AssertBothWays();
            Assert.True(_a.Handle(Assert.Single(_b.TakeDatagrams()), s_now));
            AssertBothWays();
            Assert.True(_a.CanRekey && _b.CanRekey);
        }
    }

    [Fact]
    public void Simultaneous_re_keys_come_to_one_key()
    {
        Connect();
        _a.Start(s_now);
        _b.Start(s_now);
        Exchange(AssertBothWays);
        _a.SwitchOutput();
        _b.SwitchOutput();
        Exchange(AssertBothWays);
        Assert.True(_a.CanRekey && _b.CanRekey);
        AssertBothWays();
    }

    [Fact]
    public void A_datagram_sealed_before_a_switch_and_sent_after_it_is_sealed_again()
    {
        Connect();
        byte[] late = Seal(_a, Frame);
        _a.Start(s_now);
        Exchange(() => { });
        _a.SwitchOutput();
        byte[] renewed = [.. late[..12], .. _a.Renew(late.AsSpan(12))];
        Assert.NotEqual(late, renewed);
        Assert.True(BinaryPrimitives.ReadUInt32BigEndian(renewed.AsSpan(12)) > BinaryPrimitives.ReadUInt32BigEndian(late.AsSpan(12)));
        Exchange(() => { });
        Assert.Equal(OpenResult.Opened, Open(_b, renewed));

        byte[] fresh = Seal(_a, Frame);
        Assert.Equal(fresh[12..], _a.Renew(fresh.AsSpan(12)));
        _a.ForgetOldOutput();
        Assert.Equal(late[12..], _a.Renew(late.AsSpan(12)));
    }

    [Fact]
    public void Records_that_do_not_fit_are_refused_and_change_nothing()
    {
        _a.Start(s_now);
        _b.Start(s_now);
        byte[] kexA = _a.TakeDatagrams()[0], kexB = _b.TakeDatagrams()[0];
        Assert.False(_a.Handle([], s_now));
        Assert.False(_a.Handle([0, 0, 0, 0], s_now));
        Assert.False(_a.Handle([0, 0, 0, 1, .. kexB[4..]], s_now)); // not the number expected
        Assert.True(_a.IsUnanswered);
        Assert.True(_b.Handle(kexA, s_now));
        Assert.True(_a.Handle(kexB, s_now));
        Assert.False(_a.IsUnanswered);
        Assert.False(_a.Handle(kexB, s_now));
        Exchange(() => { });
        Assert.True(_a.IsReady && _b.IsReady);

        _a.Start(s_now);
        byte[] kex = _a.TakeDatagrams()[0];
        byte[] altered = [.. kex];
        altered[10] ^= 1;
        Assert.False(_b.Handle(altered, s_now));
        Assert.False(_b.Handle(kexA, s_now)); // a replay of the first
        Assert.True(_b.Handle(kex, s_now));
        Assert.False(_b.Handle(kex, s_now)); // a replay of this one
        Assert.True(_b.IsReady);
        AssertBothWays();
    }

    [Fact]
    public void A_wrong_signature_ends_the_session()
    {
        _a.Start(s_now);
        _b.Start(s_now);
        Assert.True(_b.Handle(_a.TakeDatagrams()[0], s_now));
        Assert.True(_a.Handle(_b.TakeDatagrams()[0], s_now));
        byte[] sig = _a.TakeDatagrams()[0];
        sig[20] ^= 1;
        Assert.False(_b.Handle(sig, s_now));
        Assert.True(_b.IsBroken);
        Assert.Null(_b.Sealer);
    }

    [Fact]
    public void The_sender_of_a_datagram_is_told_by_its_tag_under_this_and_the_last_key()
    {
        Connect();
        byte[] before = Seal(_b, Frame);
        Assert.True(_a.Verifies(before.AsSpan(12)));
        _a.Start(s_now);
        Exchange(() => { });
        _a.SwitchOutput();
        _b.SwitchOutput();
        Exchange(() => { });
        Assert.True(_a.Verifies(before.AsSpan(12)));
        Assert.True(_a.Verifies(Seal(_b, Frame).AsSpan(12)));
        before[^1] ^= 1;
        Assert.False(_a.Verifies(before.AsSpan(12)));
        Assert.False(_b.Verifies(Seal(_b, Frame).AsSpan(12)));
    }

    private static byte[] Frame => [.. new byte[12], 8, 0, 0x45, 1, 2, 3];

    private void Connect()
    {
        _a.Start(s_now);
        _b.Start(s_now);
        Exchange(() => { });
        Assert.True(_a.IsReady && _b.IsReady);
    }

    private void Exchange(Action between)
    {
        for (int i = 0; i < 8; i++)
        {
            foreach (byte[] datagram in _a.TakeDatagrams())
            {
                Assert.True(_b.Handle(datagram, s_now));
                between();
            }

            foreach (byte[] datagram in _b.TakeDatagrams())
            {
                Assert.True(_a.Handle(datagram, s_now));
                between();
            }
        }
    }

    private void AssertBothWays()
    {
        AssertPasses(_a, _b);
        AssertPasses(_b, _a);
    }

    private static void AssertPasses(SptpsSession from, SptpsSession to) => Assert.Equal(OpenResult.Opened, Open(to, Seal(from, Frame)));

    private static byte[] Seal(SptpsSession from, byte[] frame)
    {
        byte[] output = new byte[from.Sealer!.SealedLength(frame.Length) + 14]; // a probe travels whole
        return output[..from.Sealer.Seal([.. new byte[PacketSealer.Room], .. frame], output, direct: true)];
    }

    private static OpenResult Open(SptpsSession to, byte[] datagram)
    {
        byte[] output = new byte[to.Opener!.OutputLength(datagram.Length)];
        return to.Opener.Open(datagram, output, out _, out _);
    }

    private static DatagramSession Shape(string self, string peer) => new(
        SessionFormat.Sptps, DataSuite.TincChaCha20Poly1305, NodeId.Of(self), NodeId.Of(peer), WithEthernet: false, HasIds: true, Owner: 0);

    /// <summary>32 consecutive byte values.</summary>
    private static byte[] Run(int first) => [.. Enumerable.Range(first, 32).Select(value => (byte)value)];

    /// <summary>Runs of consecutive bytes, one after the other; then other ones.</summary>
    private sealed class Sequence(params int[] firsts) : IRandomSource
    {
        private int _taken;

        public void Fill(Span<byte> bytes)
        {
            int first = _taken < firsts.Length ? firsts[_taken] : (_taken * 7) & 0xff;
            _taken++;
            for (int i = 0; i < bytes.Length; i++)
                bytes[i] = (byte)(first + i);
        }
    }
}
