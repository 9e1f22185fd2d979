using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>The FastMesh handshake with a man in the middle who does to each message what he likes.</summary>
[Trait("Category", "Debian13")] // there once more, with ML-KEM
public sealed class FastMeshHandshakeTests
{
    private const int Messages = 5; // KexA, KexB, SigB, SigA, Ack; offers without certificate and ML-KEM go in one line each

    private static readonly FastMeshOffer s_strong = new(
        FastMeshSuites.ChaCha20Poly1305 | FastMeshSuites.Aes256Gcm, FastMeshFlags.AesIsFast, 0, [.. Enumerable.Range(1, 64).Select(i => (byte)i)]);

    public static TheoryData<int> EachMessage => [.. Enumerable.Range(0, Messages)];

    [Fact]
    public void Five_messages_give_both_the_same_keys_and_frames_pass_both_ways()
    {
        FastMeshPair pair = new();
        pair.Start(pair.Alice);
        pair.Run();
        Assert.NotNull(pair.Common);
        Assert.Equal(DataSuite.Aes256Gcm, pair.Common.Suite);
        Assert.Equal(MlKemAgreement.IsSupported, pair.Common.IsHybrid);
        Assert.Equal(
            [FastMeshMessage.KexA, FastMeshMessage.KexB, FastMeshMessage.SigB, FastMeshMessage.SigA, FastMeshMessage.Ack],
            pair.Seen.Select(seen => seen.Line.Message).Distinct());
        Assert.Equal(OpenResult.Opened, pair.Carry(pair.Alice, [1, 2, 3], out byte[] arrived));
        Assert.Equal([1, 2, 3], arrived);
        Assert.Equal(OpenResult.Opened, pair.Carry(pair.Bob, [4, 5], out arrived));
        Assert.Equal([4, 5], arrived);
    }

    [Theory]
    [InlineData(3, 3, 3, 3, DataSuite.Aes256Gcm)]
    [InlineData(3, 1, 3, 0, DataSuite.ChaCha20Poly1305)] // not fast there
    [InlineData(3, 1, 1, 1, DataSuite.ChaCha20Poly1305)] // not offered there
    [InlineData(1, 0, 1, 0, DataSuite.ChaCha20Poly1305)]
    internal void The_suite_is_aes_only_if_both_have_it_and_have_it_fast(int suitesA, int flagsA, int suitesB, int flagsB, DataSuite suite)
    {
        FastMeshPair pair = new(
            offerA: new((FastMeshSuites)suitesA, (FastMeshFlags)(flagsA & 1), 0, []), offerB: new((FastMeshSuites)suitesB, (FastMeshFlags)(flagsB & 1), 0, []));
        pair.Start(pair.Alice);
        Assert.Equal(suite, pair.Run().Common?.Suite);
    }

    [Fact]
    public void Ends_without_a_common_suite_get_no_session()
    {
        FastMeshPair pair = new(offerA: s_strong with { Suites = FastMeshSuites.Aes256Gcm }, offerB: s_strong with { Suites = FastMeshSuites.ChaCha20Poly1305 });
        pair.Start(pair.Alice);
        pair.Run();
        Assert.False(pair.IsEstablished);
    }

    [Fact]
    public void Each_side_learns_in_which_compression_the_other_wants_packets()
    {
        FastMeshPair pair = new(offerA: s_strong with { Compression = 9 }, offerB: s_strong with { Compression = 12 });
        pair.Start(pair.Alice);
        pair.Run();
        Assert.Equal((12, 9), (pair.Alice.Session.Agreement!.Compression, pair.Bob.Session.Agreement!.Compression));
    }

    [Theory, MemberData(nameof(EachMessage))]
    public void A_lost_message_costs_a_retry(int message) => AfterOneAttack(message, _ => []);

    [Theory, MemberData(nameof(EachMessage))]
    public void A_doubled_message_costs_nothing(int message)
    {
        FastMeshPair pair = AfterOneAttack(message, line => [line, line, line]);
        Assert.True(pair.Alice.Session.Agreement is not null && pair.Seen.Count <= 4 * Messages, $"{pair.Seen.Count} lines");
    }

    [Theory, MemberData(nameof(EachMessage))]
    public void Every_altered_byte_of_a_message_costs_at_most_a_retry(int message)
    {
        int length = Honest().Seen[message].Line.Data.Length;
        for (int at = 0; at < length; at++)
        {
            int place = at;
            AfterOneAttack(message, line => [line with { Data = Flip(line.Data, place, 1) }]);
            AfterOneAttack(message, line => [line with { Data = Flip(line.Data, place, 0x80) }]);
        }
    }

    [Theory, MemberData(nameof(EachMessage))]
    public void A_byte_altered_in_every_such_message_gives_no_session_or_the_same_strong_one(int message)
    {
        FastMeshMessage kind = Honest().Seen[message].Line.Message;
        int length = Honest().Seen[message].Line.Data.Length;
        for (int at = 0; at < length; at++)
        {
            int place = at;
            FastMeshPair pair = new(offerA: s_strong, offerB: s_strong)
            {
                Attacker = (_, _, line) => [line.Message == kind ? line with { Data = Flip(line.Data, place, 1) } : line],
            };
            pair.Start(pair.Alice);
            AssertStrongOrNone(pair.Run(20));
            Assert.False(pair.IsEstablished, $"byte {place} of {kind} is not protected");
        }
    }

    [Theory, MemberData(nameof(EachMessage))]
    public void Shortened_lengthened_and_mistaken_messages_cost_at_most_a_retry(int message)
    {
        AfterOneAttack(message, line => [line with { Data = line.Data[..^1] }]);
        AfterOneAttack(message, line => [line with { Data = line.Data[..1] }]);
        AfterOneAttack(message, line => [line with { Data = [] }]);
        AfterOneAttack(message, line => [line with { Data = [.. line.Data, 0] }]);
        for (int other = (int)FastMeshMessage.KexA; other <= (int)FastMeshMessage.Ack + 1; other++)
        {
            FastMeshMessage mistaken = (FastMeshMessage)other;
            AfterOneAttack(message, line => [line with { Message = mistaken }]);
            AfterOneAttack(message, line => [line, line with { Message = mistaken }]);
        }
    }

    [Fact]
    public void Messages_in_any_other_order_cost_at_most_a_retry()
    {
        for (int held = 0; held < Messages; held++)
        {
            for (int until = held + 1; until < 3 * Messages; until++)
            {
                (int from, int to) = (held, until);
                FastMeshLine? late = null;
                FastMeshPair pair = new(offerA: s_strong, offerB: s_strong);
                FastMeshEnd? target = null;
                pair.Attacker = (number, receiver, line) =>
                {
                    if (number == from)
                    {
                        (late, target) = (line, receiver);
                        return [];
                    }

                    if (number == to && late is { } found && target is not null)
                        pair.Inject(target, found);
                    return [line];
                };
                pair.Start(pair.Alice);
                AssertStrong(pair.Run());
            }
        }
    }

    [Fact]
    public void An_ack_that_is_slower_than_the_retry_still_counts()
    {
        FastMeshLine? ack = null;
        FastMeshPair pair = new(offerA: s_strong, offerB: s_strong);
        pair.Attacker = (_, _, line) =>
        {
            if (line.Message != FastMeshMessage.Ack)
                return [line];
            ack = line;
            return [];
        };
        pair.Start(pair.Alice);
        pair.Deliver();
        pair.Alice.Session.Start(pair.Now); // the retry, which is still under way
        Assert.Null(pair.Alice.Session.Sealer);
        Assert.NotNull(ack);
        Assert.True(pair.Alice.Session.Handle(ack.Value.Message, ack.Value.Data, pair.Now));
        AssertStrong(pair);
        Assert.Null(pair.Alice.Session.RetryAt);
        Assert.Equal(OpenResult.Opened, pair.Carry(pair.Alice, [1], out byte[] _));
        Assert.Equal(OpenResult.Opened, pair.Carry(pair.Bob, [1], out byte[] _));
    }

    [Fact]
    public void Replayed_messages_of_earlier_sessions_are_of_no_use()
    {
        FastMeshPair pair = new(offerA: s_strong, offerB: s_strong);
        pair.Start(pair.Alice);
        pair.Run();
        (FastMeshEnd To, FastMeshLine Line)[] old = [.. pair.Seen];
        byte[] before = pair.Common!.Output;

        foreach ((FastMeshEnd to, FastMeshLine line) in old.Concat(old.Reverse()))
        {
            pair.Inject(to, line);
            pair.Deliver();
            Assert.Equal(before, AssertStrong(pair).Output); // the session in use goes on
        }

        for (int at = 0; at < Messages; at++)
        {
            foreach ((FastMeshEnd To, FastMeshLine Line) replay in old)
            {
                (int place, (FastMeshEnd To, FastMeshLine Line) again) = (pair.Seen.Count + at, replay);
                pair.Attacker = (number, _, line) =>
                {
                    if (number == place)
                        pair.Inject(again.To, again.Line);
                    return [line];
                };
                pair.Start(pair.Alice);
                Assert.NotEqual(before, AssertStrong(pair.Run()).Output);
                before = pair.Common!.Output;
            }
        }
    }

    [Theory]
    [InlineData(FastMeshMessage.KexA, 1, 1)] // suites: only ChaCha20-Poly1305
    [InlineData(FastMeshMessage.KexB, 1, 1)]
    [InlineData(FastMeshMessage.KexA, 2, 0)] // flags: not fast, no ML-KEM
    [InlineData(FastMeshMessage.KexB, 2, 0)]
    internal void Nothing_can_be_taken_from_an_offer(FastMeshMessage message, int field, byte value)
    {
        FastMeshPair pair = new(offerA: s_strong, offerB: s_strong)
        {
            Attacker = (_, _, line) =>
            {
                byte[] data = [.. line.Data];
                if (line.Message == message)
                    data[1 + field] = value; // behind the number of the part
                return [line with { Data = data }];
            },
        };
        pair.Start(pair.Alice);
        Assert.Null(pair.Run().Common);
        pair.Attacker = null;
        AssertStrong(pair.Run());
    }

    [SkippableFact, Trait("Category", "NeedsMlKem")]
    public void Ml_kem_cannot_be_taken_away()
    {
        Skip.IfNot(MlKemAgreement.IsSupported, "needs OpenSSL 3.5");
        foreach (FastMeshMessage message in new[] { FastMeshMessage.KexA, FastMeshMessage.KexB })
        {
            FastMeshPair pair = new();
            List<byte> whole = [];
            pair.Attacker = (_, _, line) =>
            {
                if (line.Message != message)
                    return [line];
                whole = (line.Data[0] >> 4) == 0 ? [.. line.Data[1..]] : [.. whole, .. line.Data[1..]];
                if ((line.Data[0] >> 4) + 1 < (line.Data[0] & 15))
                    return [];
                whole[2] &= 0xfd;
                whole.RemoveRange(102, whole.Count - 102);
                return [line with { Data = [1, .. whole] }];
            };
            pair.Start(pair.Alice);
            Assert.Null(pair.Run().Common);
            pair.Attacker = null;
            Assert.True(pair.Run().Common!.IsHybrid);
        }
    }

    [SkippableFact, Trait("Category", "NeedsMlKem")]
    public void Bytes_altered_in_messages_with_ml_kem_give_no_session_or_a_hybrid_one()
    {
        Skip.IfNot(MlKemAgreement.IsSupported, "needs OpenSSL 3.5");
        FastMeshOffer offer = FastMeshPair.FullOffer with { Certificate = new byte[256] }; // the initiator's KEX has two parts
        for (int number = 0; number < 6; number++)
        {
            for (int at = 0; at < 1400; at += 61)
            {
                (int attacked, int place) = (number, at);
                FastMeshPair pair = new(offerA: offer, offerB: offer)
                {
                    Attacker = (seen, _, line) => [seen == attacked && place < line.Data.Length ? line with { Data = Flip(line.Data, place, 4) } : line],
                };
                pair.Start(pair.Alice);
                Assert.True(AssertStrong(pair.Run()).IsHybrid);
            }
        }
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public void Someone_else_s_identity_is_refused(bool towardsAlice, bool victimStarts)
    {
        // The attacker holds a key of his own, speaks to each end in the name of the other, and each end knows the other's key.
        FastMeshPair honest = new(offerA: s_strong, offerB: s_strong), attacked = new(seed: 50, offerA: s_strong, offerB: s_strong);
        FastMeshEnd victim = towardsAlice ? honest.Alice : honest.Bob, liar = towardsAlice ? attacked.Bob : attacked.Alice;
        Ed25519PublicKey right = honest.Other(victim).Identity.Public;
        victim.Believes = (key, _) => key.Equals(right);

        Instant now = new(1);
        (victimStarts ? victim : liar).Session.Start(now);
        for (int round = 0; round < 10; round++)
        {
            foreach (FastMeshLine line in liar.Session.TakeLines())
                victim.Session.Handle(line.Message, line.Data, now);
            foreach (FastMeshLine line in victim.Session.TakeLines())
                liar.Session.Handle(line.Message, line.Data, now);
        }

        Assert.Null(victim.Session.Sealer);
        Assert.Null(victim.Session.Opener);
        Assert.Null(liar.Session.Sealer);
    }

    [Fact]
    public void A_swapped_identity_does_not_fit_the_signature()
    {
        Ed25519PublicKey other = Ed25519Identity.Generate(new TestRandom(9)).Public;
        foreach (FastMeshMessage message in new[] { FastMeshMessage.KexA, FastMeshMessage.KexB })
        {
            FastMeshPair pair = new(offerA: s_strong, offerB: s_strong)
            {
                Attacker = (_, _, line) =>
                    [line.Message == message ? line with { Data = [.. line.Data[..69], .. other.Bytes, .. line.Data[101..]] } : line],
            };
            pair.Start(pair.Alice);
            Assert.Null(pair.Run().Common);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(256)] // RSA of 2048 bits
    [InlineData(1024)] // RSA of 8192 bits
    public void Long_offers_travel_in_parts(int certificate)
    {
        FastMeshOffer offer = FastMeshPair.FullOffer with { Certificate = new byte[certificate] };
        FastMeshPair pair = new(offerA: offer, offerB: offer);
        pair.Start(pair.Alice);
        Assert.NotNull(pair.Run().Common);
        Assert.All(pair.Seen, seen => Assert.InRange(seen.Line.Data.Length, 1, 1 + ProtocolLimits.MaxKexPart));
        if (MlKemAgreement.IsSupported && certificate > 0)
            Assert.True(pair.Seen.Count > Messages);
    }

    private static FastMeshPair Honest()
    {
        FastMeshPair pair = new(offerA: s_strong, offerB: s_strong);
        pair.Start(pair.Alice);
        AssertStrong(pair.Run());
        Assert.Equal(Messages, pair.Seen.Count);
        return pair;
    }

    /// <summary>One line is replaced, all others pass: after a retry or two there is the same strong session.</summary>
    private static FastMeshPair AfterOneAttack(int message, Func<FastMeshLine, IEnumerable<FastMeshLine>> change)
    {
        FastMeshPair pair = new(offerA: s_strong, offerB: s_strong) { Attacker = (number, _, line) => number == message ? change(line) : [line] };
        pair.Start(pair.Alice);
        AssertStrong(pair.Run());
        return pair;
    }

    private static FastMeshAgreement AssertStrong(FastMeshPair pair)
    {
        Assert.True(pair.IsEstablished, string.Join(", ", pair.Seen.Select(seen => seen.Line.Message)));
        FastMeshAgreement? common = pair.Common;
        Assert.NotNull(common);
        Assert.Equal(DataSuite.Aes256Gcm, common.Suite);
        return common;
    }

    private static void AssertStrongOrNone(FastMeshPair pair)
    {
        if (pair.Alice.Session.Sealer is not null || pair.Bob.Session.Sealer is not null)
            Assert.All([pair.Alice, pair.Bob], end => Assert.True(end.Session.Agreement is null or { Suite: DataSuite.Aes256Gcm }));
    }

    private static byte[] Flip(byte[] data, int at, byte bits)
    {
        byte[] altered = [.. data];
        altered[at] ^= bits;
        return altered;
    }
}
