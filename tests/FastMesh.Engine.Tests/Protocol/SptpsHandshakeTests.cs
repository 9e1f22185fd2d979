using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>KEX, SIG and ACK (tinc 1.1 reference, 3.3 to 3.5): the published handshakes, re-keys, and every violation in every state.</summary>
public sealed class SptpsHandshakeTests
{
    [Theory]
    [InlineData("TCP", SptpsVectors.StreamSigA, SptpsVectors.StreamSigB, SptpsVectors.StreamKey0, SptpsVectors.StreamKey1)]
    [InlineData("UDP", SptpsVectors.DatagramSigA, SptpsVectors.DatagramSigB,
        "983a590f43f56844068ebdac20a38d9652bd12111520f5517befc9bb3097012e", "eab96e8f636ad43bd5c8772dfcb30e3a98b0068a09dc97a165dd3281632465c9")]
    public void The_handshakes_of_the_reference_are_reproduced(string use, string sigA, string sigB, string key0, string key1)
    {
        SptpsHandshake a = SptpsVectors.Handshake(initiator: true, use), b = SptpsVectors.Handshake(initiator: false, use);
        List<SptpsStep> fromA = [], fromB = [];
        a.Start(fromA);
        b.Start(fromB);
        Assert.Equal(SptpsVectors.KexA, Assert.Single(fromA).Data);
        Assert.Equal(SptpsVectors.KexB, Assert.Single(fromB).Data);

        fromA.Clear();
        fromB.Clear();
        Assert.True(a.Handle(SptpsVectors.KexB, fromA) && b.Handle(SptpsVectors.KexA, fromB));
        Assert.Equal(sigA, Hex(Assert.Single(fromA)));
        Assert.Empty(fromB);

        fromA.Clear();
        Assert.True(b.Handle(Convert.FromHexString(sigA), fromB) && a.Handle(Convert.FromHexString(sigB), fromA));
        Assert.Equal(
            [SptpsStepKind.Send, SptpsStepKind.SwitchOutput, SptpsStepKind.SwitchInput, SptpsStepKind.Complete], fromB.Select(step => step.Kind));
        Assert.Equal([SptpsStepKind.SwitchOutput, SptpsStepKind.SwitchInput, SptpsStepKind.Complete], fromA.Select(step => step.Kind));
        Assert.Equal(sigB, Hex(fromB[0]));
        Assert.Equal([key0, key1], [Hex(fromB[1])[..key0.Length], Hex(fromB[2])[..key1.Length]]);
        Assert.Equal([key1, key0], [Hex(fromA[0])[..key1.Length], Hex(fromA[1])[..key0.Length]]);
        Assert.True(a.IsReady && b.IsReady && a.CanRekey && b.CanRekey);
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(true, true)]
    public void Either_side_or_both_may_renew_the_keys(bool initiatorStarts, bool responderStarts)
    {
        Pair pair = new();
        pair.Complete();
        byte[] oldKey = pair.A.Output;
        if (initiatorStarts)
            pair.A.Start();
        if (responderStarts)
            pair.B.Start();
        pair.Exchange();
        Assert.Equal([2, 2], [pair.A.Completed, pair.B.Completed]);
        Assert.Equal([pair.A.Output, pair.A.Input], [pair.B.Input, pair.B.Output]);
        Assert.NotEqual(oldKey, pair.A.Output);
        Assert.True(pair.A.Handshake.CanRekey && pair.B.Handshake.CanRekey);
    }

    [Fact]
    public void A_renewal_sends_sig_and_ack_under_the_old_key_and_takes_the_new_one_for_input_with_the_ack()
    {
        Pair pair = new();
        pair.Complete();
        pair.B.Start();
        pair.A.Take(pair.B.Sent.Dequeue()); // A answers with KEX and, as the initiator of the session, SIG
        Assert.Equal([SptpsHandshake.KexLength, 64], pair.A.Sent.Select(message => message.Length));
        pair.B.Take(pair.A.Sent.Dequeue());
        Assert.Empty(pair.B.Sent);
        List<SptpsStep> steps = [];
        Assert.True(pair.B.Handshake.Handle(pair.A.Sent.Dequeue(), steps));
        Assert.Equal([SptpsStepKind.Send, SptpsStepKind.Send, SptpsStepKind.SwitchOutput, SptpsStepKind.ExpectInput], steps.Select(step => step.Kind));
        Assert.Equal([64, 0], [steps[0].Data.Length, steps[1].Data.Length]);
        byte[] expected = steps[3].Data;
        steps.Clear();
        Assert.True(pair.B.Handshake.Handle([], steps));
        Assert.Equal([SptpsStepKind.SwitchInput, SptpsStepKind.Complete], steps.Select(step => step.Kind));
        Assert.Equal(expected, steps[0].Data);
    }

    [Fact]
    public void Each_message_in_place_of_another_breaks_the_session()
    {
        // What is accepted next: Kex, Sig, Ack (of a re-key), Ready (a KEX). Everything else, and everything before Start, is a violation.
        foreach (bool initiator in new[] { true, false })
        {
            foreach (string state in new[] { "Idle", "Kex", "Sig", "Ack", "Ready" })
            {
                string accepted = state switch { "Kex" or "Ready" => "kex", "Sig" => "sig", "Ack" => "empty", _ => "" };
                foreach (string message in new[] { "kex", "sig", "empty", "kex-version-1", "kex-short", "kex-long", "sig-short", "sig-long", "one", "own-kex" })
                {
                    (Pair pair, Side side, byte[] kex, byte[] sig) = In(state, initiator);
                    byte[] content = message switch
                    {
                        "kex" => kex,
                        "sig" => sig,
                        "empty" => [],
                        "kex-version-1" => [1, .. kex.AsSpan(1)],
                        "kex-short" => kex[..^1],
                        "kex-long" => [.. kex, 0],
                        "sig-short" => sig[..^1],
                        "sig-long" => [(byte)(sig[0] | 1), .. sig.AsSpan(1), 0], // as long as a KEX, so its version must not be right by chance
                        _ => [0],
                    };
                    bool expected = message == accepted;
                    bool isReady = side.Handshake.IsReady;
                    List<SptpsStep> steps = [];
                    Assert.True(expected == side.Handshake.Handle(content, steps), $"{state}, initiator {initiator}: {message}");
                    if (expected)
                        continue;
                    Assert.True(steps.Count == 0, $"{state}, initiator {initiator}: {message} has an effect");
                    Assert.Equal(isReady, side.Handshake.IsReady);
                    Assert.False(side.Handshake.CanRekey);
                    Assert.False(side.Handshake.Handle(kex, steps)); // broken for good
                    GC.KeepAlive(pair);
                }
            }
        }
    }

    [Fact]
    public void Every_altered_bit_of_kex_and_sig_breaks_the_handshake()
    {
        foreach (bool initiator in new[] { true, false })
        {
            for (int bit = 0; bit < 8 * (SptpsHandshake.KexLength + Ed25519Identity.SignatureLength); bit++)
            {
                (_, Side side, byte[] kex, byte[] sig) = In("Kex", initiator);
                if (bit < 8 * kex.Length)
                    kex[bit / 8] ^= (byte)(1 << (bit % 8));
                else
                    sig[(bit / 8) - kex.Length] ^= (byte)(1 << (bit % 8));
                List<SptpsStep> steps = [];
                Assert.False(side.Handshake.Handle(kex, steps) && side.Handshake.Handle(sig, steps), $"bit {bit}, initiator {initiator}");
                Assert.False(side.Handshake.IsReady);
            }
        }
    }

    [Fact]
    public void A_reflected_handshake_is_refused()
    {
        List<SptpsStep> steps = [];
        SptpsHandshake mirror = new(SptpsVectors.A, SptpsVectors.A.Public, initiator: true, SptpsHandshake.Label("TCP", "alice", "bob"), new SystemRandom());
        mirror.Start(steps);
        Assert.True(mirror.Handle(steps[0].Data, steps));
        Assert.False(mirror.Handle(steps[1].Data, steps));
    }

    [Theory]
    [InlineData("TCP", "alice", "carol")]
    [InlineData("TCP", "bob", "alice")]
    [InlineData("UDP", "alice", "bob")]
    public void Another_label_is_refused(string use, string first, string second)
    {
        SptpsHandshake a = SptpsVectors.Handshake(initiator: true, "TCP");
        SptpsHandshake b = new(SptpsVectors.B, SptpsVectors.A.Public, initiator: false, SptpsHandshake.Label(use, first, second), new SystemRandom());
        List<SptpsStep> fromA = [], fromB = [];
        a.Start(fromA);
        b.Start(fromB);
        Assert.True(a.Handle(fromB[0].Data, fromA) && b.Handle(fromA[0].Data, fromB));
        Assert.False(b.Handle(fromA[1].Data, fromB));
    }

    [Fact]
    public void The_labels_are_those_of_the_reference()
    {
        Assert.Equal("tinc TCP key expansion alice bob\0"u8.ToArray(), SptpsHandshake.Label("TCP", "alice", "bob"));
        Assert.Equal(25 + 8, SptpsHandshake.Label("UDP", "alice", "bob").Length);
    }

    private static string Hex(SptpsStep step) => Convert.ToHexStringLower(step.Data);

    /// <summary>A side that is in a state, and the KEX and SIG that the other one would send now.</summary>
    private static (Pair Pair, Side Side, byte[] Kex, byte[] Sig) In(string state, bool initiator)
    {
        Pair pair = new();
        (Side side, Side other) = initiator ? (pair.A, pair.B) : (pair.B, pair.A);
        if (state is "Ready" or "Ack")
            pair.Complete();
        if (state == "Idle")
        {
            other.Start();
            return (pair, side, other.Sent.Dequeue(), NoSignature());
        }

        if (state != "Ready")
        {
            side.Start();
        }

        other.Start();
        byte[] kex = other.Sent.Dequeue();
        if (state == "Ready")
            return (pair, side, kex, NoSignature());

        other.Take(side.Sent.Dequeue());
        if (initiator)
        {
            // The responder signs only after the initiator has.
            Side twin = side;
            if (state is "Sig" or "Ack")
            {
                twin.Take(kex);
                other.Take(twin.Sent.Dequeue());
            }
            else
            {
                return (pair, side, kex, SignatureOfResponder(pair, kex));
            }
        }
        else if (state is "Sig" or "Ack")
        {
            side.Take(kex);
        }

        byte[] sig = other.Sent.Dequeue();
        if (state == "Ack")
            side.Take(sig);
        return (pair, side, kex, sig);
    }

    private static byte[] NoSignature() => [.. Enumerable.Repeat((byte)0xaa, Ed25519Identity.SignatureLength)];

    /// <summary>What the responder would sign if the initiator's SIG had come already.</summary>
    private static byte[] SignatureOfResponder(Pair pair, byte[] kex)
    {
        byte[] message = [0, .. kex, .. pair.A.Kex, .. SptpsHandshake.Label("TCP", "alice", "bob")], signature = new byte[64];
        SptpsVectors.B.Sign(message, signature);
        return signature;
    }

    private sealed class Pair
    {
        private static readonly byte[] s_label = SptpsHandshake.Label("TCP", "alice", "bob");

        public Side A { get; } = new(new(SptpsVectors.A, SptpsVectors.B.Public, initiator: true, s_label, new SystemRandom()));

        public Side B { get; } = new(new(SptpsVectors.B, SptpsVectors.A.Public, initiator: false, s_label, new SystemRandom()));

        public void Complete()
        {
            A.Start();
            B.Start();
            Exchange();
            Assert.True(A.Handshake.CanRekey && B.Handshake.CanRekey);
        }

        public void Exchange()
        {
            while (A.Sent.Count + B.Sent.Count > 0)
            {
                if (A.Sent.TryDequeue(out byte[]? toB))
                    B.Take(toB);
                if (B.Sent.TryDequeue(out byte[]? toA))
                    A.Take(toA);
            }
        }
    }

    private sealed class Side(SptpsHandshake handshake)
    {
        private readonly List<SptpsStep> _steps = [];

        public SptpsHandshake Handshake => handshake;

        public Queue<byte[]> Sent { get; } = [];

        public byte[] Kex { get; private set; } = [];

        public byte[] Output { get; private set; } = [];

        public byte[] Input { get; private set; } = [];

        public int Completed { get; private set; }

        public void Start()
        {
            handshake.Start(_steps);
            Perform();
        }

        public void Take(byte[] message)
        {
            Assert.True(handshake.Handle(message, _steps));
            Perform();
        }

        private void Perform()
        {
            foreach (SptpsStep step in _steps)
            {
                switch (step.Kind)
                {
                    case SptpsStepKind.Send:
                        Kex = step.Data.Length == SptpsHandshake.KexLength ? step.Data : Kex;
                        Sent.Enqueue(step.Data);
                        break;
                    case SptpsStepKind.SwitchOutput:
                        Output = step.Data;
                        break;
                    case SptpsStepKind.SwitchInput:
                        Input = step.Data;
                        break;
                    case SptpsStepKind.Complete:
                        Completed++;
                        break;
                }
            }

            _steps.Clear();
        }
    }
}
