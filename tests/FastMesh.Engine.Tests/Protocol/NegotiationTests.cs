using System.Text;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Tests.Crypto;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>Which protocol two nodes come to speak (tinc 1.1 reference, 1.1 to 1.5), and that nobody between them can make it a weaker one.</summary>
public sealed class NegotiationTests
{
    private static readonly RsaIdentity s_aliceRsa = Rsa(TincCapture.AlphaPrivatePem), s_bobRsa = Rsa(TincCapture.BetaPrivatePem);
    private static readonly Ed25519Identity s_alice = SptpsVectors.A, s_bob = SptpsVectors.B;

    /// <summary>The keys of a configuration directory.</summary>
    public enum Keys
    {
        /// <summary>RSA: a directory of tinc 1.0.</summary>
        Rsa,

        /// <summary>Ed25519 only.</summary>
        Ed25519,

        /// <summary>Both: a directory of tinc 1.1.</summary>
        Both,
    }

    [Fact]
    public void Every_pair_of_directories_ends_up_with_the_strongest_protocol_that_both_can_authenticate()
    {
        Keys[] kinds = [Keys.Rsa, Keys.Ed25519, Keys.Both];
        foreach (Keys alice in kinds)
        {
            foreach (Keys bob in kinds)
            {
                for (int known = 0; known < 16; known++)
                    Check(alice, bob, (known & 1) != 0, (known & 2) != 0, (known & 4) != 0, (known & 8) != 0);
            }
        }
    }

    private static void Check(Keys alice, Keys bob, bool aliceKnowsEd, bool bobKnowsEd, bool aliceKnowsRsa, bool bobKnowsRsa)
    {
        aliceKnowsEd &= bob != Keys.Rsa;
        bobKnowsEd &= alice != Keys.Rsa;
        aliceKnowsRsa &= bob != Keys.Ed25519;
        bobKnowsRsa &= alice != Keys.Ed25519;
        MeshPair pair = new(With(alice, s_aliceRsa, s_alice), With(bob, s_bobRsa, s_bob),
            Host(aliceKnowsRsa, s_bobRsa, aliceKnowsEd, s_bob), Host(bobKnowsRsa, s_aliceRsa, bobKnowsEd, s_alice));
        pair.Start().Run(40);

        bool rsa = aliceKnowsRsa && bobKnowsRsa && alice != Keys.Ed25519 && bob != Keys.Ed25519;
        bool bothSpeak = alice != Keys.Rsa && bob != Keys.Rsa;
        bool expectActive = bothSpeak ? (aliceKnowsEd && bobKnowsEd) || rsa : rsa;
        string text = $"{alice} {bob}, alice knows Ed25519 {aliceKnowsEd} RSA {aliceKnowsRsa}, bob knows Ed25519 {bobKnowsEd} RSA {bobKnowsRsa}";
        Assert.True(expectActive == pair.IsActive, text + "\n" + string.Join('\n', pair.Alice.Log.Concat(pair.Bob.Log)));
        if (expectActive)
            Assert.True(bothSpeak != pair.Links[^1].IsLegacy, text);
        else
            Assert.False(MeshPair.HasActive(pair.Alice) || MeshPair.HasActive(pair.Bob), text);
    }

    [Fact]
    public void Who_knows_the_other_only_by_rsa_learns_its_key_and_connects_again_without_a_timeout()
    {
        MeshPair pair = new(With(Keys.Both, s_aliceRsa, s_alice), With(Keys.Both, s_bobRsa, s_bob),
            Host(true, s_bobRsa, false, s_bob), Host(true, s_aliceRsa, false, s_alice));
        pair.Start(); // not a millisecond passes
        Assert.True(pair.IsActive);
        Assert.Equal([true, false], pair.Links.Select(link => link.IsLegacy));
        Assert.Equal(["0 alice 17.1\n", "0 bob 17.7\n"], [pair.Links[0].FromAlice.Lines.First(), pair.Links[0].FromBob.Lines.First()]);
        Assert.Equal(["0 alice 17.7\n", "0 bob 17.7\n"], [pair.Links[1].FromAlice.Lines.First(), pair.Links[1].FromBob.Lines.First()]);
        Assert.Equal(s_bob.Public, pair.Alice.Settings.KnownKeys.Find("bob"));
        Assert.Equal(s_alice.Public, pair.Bob.Settings.KnownKeys.Find("alice"));
        Assert.True(pair.Alice.IsClosed(pair.Links[0].Alice, out bool tarpit) && !tarpit);
    }

    [Fact]
    public void An_initiator_whose_key_the_acceptor_lacks_is_answered_17_1_and_upgraded()
    {
        // The trap of 1.1: tincd answers 17.7 and METAKEY, and both sides wait for each other for ever.
        MeshPair pair = new(With(Keys.Both, s_aliceRsa, s_alice), With(Keys.Both, s_bobRsa, s_bob),
            Host(true, s_bobRsa, true, s_bob), Host(true, s_aliceRsa, false, s_alice));
        pair.Start();
        Assert.True(pair.IsActive);
        Assert.Equal(["0 alice 17.7\n", "0 bob 17.1\n"], [pair.Links[0].FromAlice.Lines.First(), pair.Links[0].FromBob.Lines.First()]);
        Assert.Equal([true, false], pair.Links.Select(link => link.IsLegacy));
    }

    [Fact]
    public void Without_rsa_keys_that_initiator_is_sent_away_at_once_with_a_word_to_the_administrator()
    {
        MeshPair pair = new(With(Keys.Ed25519, s_aliceRsa, s_alice), With(Keys.Ed25519, s_bobRsa, s_bob),
            Host(false, s_bobRsa, true, s_bob), Host(false, s_aliceRsa, false, s_alice));
        pair.Start();
        Assert.Contains(pair.Bob.Log, line => line.Contains("Put its Ed25519PublicKey into hosts/alice", StringComparison.Ordinal));
        Assert.True(pair.Bob.IsClosed(pair.Links[0].Bob, out bool tarpit) && !tarpit);
        Assert.Empty(pair.Links[0].FromBob.Messages);
        pair.Run(60);
        Assert.InRange(pair.Links.Count, 2, 12); // with back-off
    }

    [Fact]
    public void An_initiator_that_gets_metakey_for_kex_asks_for_the_upgrade_next()
    {
        // The other end of the trap, against a scripted tincd that does not know our key.
        MeshHarness mesh = new MeshHarness(settings => With(Keys.Both, s_aliceRsa, s_alice)(settings) with
        {
            Name = "alice",
            BypassSecurity = false,
            ConnectTo = ["bob"],
        });
        mesh.HostFiles["bob"] = Host(true, s_bobRsa, true, s_bob) with { Addresses = [new("192.0.2.2", "655")] };
        mesh.Start();
        List<string> ids = [];
        for (int i = 0; i < 6; i++)
        {
            while (mesh.Taken<MeshAction.Connect>().Count() == i)
                mesh.WaitSeconds(1);
            ConnectionId id = mesh.Taken<MeshAction.Connect>().Last().Connection;
            mesh.Do((m, now) => m.HandleConnected(id, now));
            mesh.Say(id, "0 bob 17.7", $"1 429 672 0 0 {TincCapture.AlphaMetaKey}");
            ids.Add(Encoding.Latin1.GetString(mesh.HeardBytes(id)).Split('\n')[0]);
        }

        string[] expected = ["0 alice 17.7", "0 alice 17.1", "0 alice 17.7", "0 alice 17.1", "0 alice 17.7", "0 alice 17.7"];
        Assert.Equal(expected, ids); // twice, then no more: this one cannot learn
        Assert.Contains(mesh.Log, line => line.Contains("does not know our Ed25519 key", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void A_key_the_user_wrote_is_proof_against_rollback_and_a_learned_one_is_not(bool written, bool expectActive)
    {
        MeshPair pair = new(With(Keys.Rsa, s_aliceRsa, s_alice), With(Keys.Both, s_bobRsa, s_bob),
            Host(true, s_bobRsa, false, s_bob), Host(true, s_aliceRsa, written, s_alice));
        if (!written)
            pair.Bob.Settings.KnownKeys.Learn("alice", s_alice.Public);
        pair.Start().Run(10);
        Assert.Equal(expectActive, pair.IsActive);
        Assert.Equal(written, pair.Bob.Log.Any(line => line.Contains("tries to roll back to protocol 17.0", StringComparison.Ordinal)));
    }

    [Fact]
    public void LegacyProtocol_no_refuses_both_tinc_1_0_and_the_upgrade()
    {
        foreach (Keys alice in new[] { Keys.Rsa, Keys.Both })
        {
            MeshPair pair = new(With(alice, s_aliceRsa, s_alice), settings => With(Keys.Both, s_bobRsa, s_bob)(settings) with { LegacyProtocol = false },
                Host(true, s_bobRsa, false, s_bob), Host(true, s_aliceRsa, false, s_alice));
            pair.Start().Run(20);
            Assert.False(pair.IsActive);
            Assert.All(pair.Links, link => Assert.False(link.IsLegacy));
        }
    }

    [Fact]
    public void A_peer_whose_upgrade_brings_another_key_than_the_known_one_is_an_intruder()
    {
        MeshPair pair = new(With(Keys.Both, s_aliceRsa, s_alice), With(Keys.Both, s_bobRsa, s_bob),
            Host(true, s_bobRsa, false, s_bob), Host(true, s_aliceRsa, false, s_alice));
        pair.Bob.HostFiles["alice"] = Host(true, s_aliceRsa, true, s_bob); // a wrong key
        pair.Start().Run(20);
        Assert.False(pair.IsActive);
        Assert.Null(pair.Bob.Settings.KnownKeys.Find("alice"));
    }

    [Theory]
    [InlineData("17.255", true)]
    [InlineData("17.2", true)]
    [InlineData("17.7.1", false)]
    [InlineData("17.", false)]
    [InlineData("17.x", false)]
    [InlineData("16.7", false)]
    [InlineData("170.7", false)]
    public void Versions_in_an_id(string version, bool expected)
    {
        MeshHarness mesh = new MeshHarness(settings => With(Keys.Both, s_bobRsa, s_bob)(settings) with { BypassSecurity = false }).Start();
        mesh.HostFiles["alice"] = Host(false, s_aliceRsa, true, s_alice);
        ConnectionId id = mesh.Accept();
        mesh.Say(id, $"0 alice {version} and more");
        byte[] heard = mesh.HeardBytes(id);
        Assert.Equal(expected, heard.Length == "0 self 17.7\n".Length + 3 + SptpsHandshake.KexLength);
        Assert.Equal(!expected, mesh.IsClosed(id, out _));
    }

    [Fact]
    public void Id_and_the_whole_handshake_may_share_segments_or_come_byte_by_byte()
    {
        foreach (bool whole in new[] { true, false })
        {
            MeshPair pair = Sptps();
            pair.Tamper = (_, _, _, message) => whole ? [message] : [.. message.Select(value => new[] { value })];
            pair.Start();
            Assert.True(pair.IsActive);
        }
    }

    [Fact]
    public void Whatever_a_man_in_the_middle_does_to_a_message_of_the_handshake_no_weaker_connection_comes_of_it()
    {
        int tried = 0;
        foreach (bool fromAlice in new[] { true, false })
        {
            for (int message = 0; message < 4; message++)
            {
                string[] deeds = ["drop", "replay", "reflect", "truncate", "swap", .. Enumerable.Range(0, LengthOf(fromAlice, message)).Select(at => $"flip {at}")];
                foreach (string deed in deeds)
                {
                    tried++;
                    MeshPair pair = Sptps();
                    Attack(pair, fromAlice, message, deed);
                    pair.Start();
                    string text = $"{(fromAlice ? "alice" : "bob")}'s message {message}: {deed}";
                    bool alice = MeshPair.HasActive(pair.Alice), bob = MeshPair.HasActive(pair.Bob);
                    if (message == 0)
                        Assert.True(!pair.IsActive || !pair.Links[^1].IsLegacy, text); // the IDs are in clear; changing 17.7 to 17.6 changes nothing
                    else if (message == 3 || deed == "replay")
                        Assert.False(alice && bob, text); // one side alone may believe in the connection until its first PING
                    else
                        Assert.False(alice || bob, text);
                    Assert.All(pair.Links, link => Assert.False(link.IsLegacy && pair.IsActive, text));
                }
            }
        }

        Assert.InRange(tried, 300, 500);
    }

    /// <summary>A man in the middle who controls all connections, for good, and holds no key.</summary>
    [Theory]
    [InlineData("17.0")]
    [InlineData("17")]
    [InlineData("17.1")]
    public void Who_rewrites_the_versions_of_both_ids_gains_nothing(string version)
    {
        MeshPair pair = Sptps();
        pair.Tamper = (_, _, number, message) =>
            number == 0 ? [Encoding.ASCII.GetBytes(Encoding.ASCII.GetString(message).Replace("17.7", version, StringComparison.Ordinal))] : [message];
        pair.Start().Run(60);
        Assert.False(MeshPair.HasActive(pair.Alice) || MeshPair.HasActive(pair.Bob));
    }

    private static void Attack(MeshPair pair, bool fromAlice, int target, string deed)
    {
        byte[]? held = null;
        pair.Tamper = (link, isAlice, number, message) =>
        {
            if (link != 0 || isAlice != fromAlice)
                return [message];
            if (deed == "swap" && number == target)
            {
                held = message;
                return [];
            }

            if (held is { } before)
            {
                held = null;
                return [message, before];
            }

            if (number != target)
                return [message];
            switch (deed)
            {
                case "drop":
                    return [];
                case "replay":
                    return [message, message];
                case "reflect":
                    MeshPair.Link.Direction other = fromAlice ? pair.Links[0].FromBob : pair.Links[0].FromAlice;
                    return [other.Messages.Count > target ? other.Messages[target] : []];
                case "truncate":
                    return [message[..^1]];
                default:
                    byte[] flipped = [.. message];
                    flipped[int.Parse(deed[5..], System.Globalization.CultureInfo.InvariantCulture)] ^= 1;
                    return [flipped];
            }
        };
    }

    private static int LengthOf(bool fromAlice, int message)
    {
        MeshPair pair = Sptps();
        pair.Start();
        return (fromAlice ? pair.Links[0].FromAlice : pair.Links[0].FromBob).Messages[message].Length;
    }

    private static MeshPair Sptps() => new(With(Keys.Both, s_aliceRsa, s_alice), With(Keys.Both, s_bobRsa, s_bob),
        Host(true, s_bobRsa, true, s_bob), Host(true, s_aliceRsa, true, s_alice));

    private static Func<MeshSettings, MeshSettings> With(Keys keys, RsaIdentity rsa, Ed25519Identity identity) => settings => settings with
    {
        Key = keys == Keys.Ed25519 ? null : rsa,
        Identity = identity,
        SpeaksSptps = keys != Keys.Rsa,
        KnownKeys = new KeysInMemory(),
    };

    private static PeerSettings Host(bool hasRsa, RsaIdentity rsa, bool hasEd, Ed25519Identity identity) => new()
    {
        PublicKey = hasRsa ? rsa.Public : null,
        Ed25519Key = hasEd ? identity.Public : null,
    };

    private static RsaIdentity Rsa(string pem)
    {
        Assert.True(RsaIdentity.TryFromPem(pem, out RsaIdentity? key, out string reason), reason);
        return key;
    }
}
