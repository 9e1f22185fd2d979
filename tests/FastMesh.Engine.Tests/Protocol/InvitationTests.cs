using System.Diagnostics.CodeAnalysis;
using System.Text;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>The inviter's side of an invitation (tinc 1.1 reference, 9.4).</summary>
public sealed class InvitationTests
{
    private static readonly byte[] s_cookie = SptpsVectors.Run(0, 18);
    private static readonly Ed25519PublicKey s_newKey = Ed25519Identity.FromSeed(SptpsVectors.Run(0x55, 32)).Public;

    [Theory]
    [InlineData(1)]
    [InlineData(1024)]
    [InlineData(1025)]
    [InlineData(5000)]
    public void An_invitation_is_redeemed_record_by_record(int fileLength)
    {
        Book book = new(new byte[fileLength]);
        MeshHarness mesh = SptpsPeer.Mesh(settings => settings with { Invitations = book });
        SptpsPeer guest = SptpsPeer.Guest(mesh, SptpsVectors.A.Public, out string[] lines);
        Assert.Equal(["0 self 17.7", "4 DE6B/OvzQ4bHw1NGnvEwZeG5WDzml2wXdwthkJRVxgL"], lines);

        guest.SendRecord(0, s_cookie);
        Assert.Equal((1, 0), (guest.Records[^1].Type, guest.Records[^1].Data.Length));
        Assert.All(guest.Records[..^1], record => Assert.True(record.Type == 0 && record.Data.Length is > 0 and <= 1024));
        Assert.Equal(book.File, guest.Records[..^1].SelectMany(record => record.Data));
        Assert.False(guest.IsClosed);

        guest.SendRecord(1, Encoding.ASCII.GetBytes(s_newKey.ToString()));
        Assert.Equal((2, 0), (guest.Records[^1].Type, guest.Records[^1].Data.Length));
        Assert.Equal(("delta", s_newKey.ToString()), book.Accepted);
        MeshAction.RunScript script = Assert.Single(mesh.Taken<MeshAction.RunScript>());
        Assert.Equal("invitation-accepted", script.Name);
        Assert.Equal([new("NODE", "delta"), new("REMOTEADDRESS", "192.0.2.2")], script.Variables);
        Assert.True(mesh.IsClosed(guest.Id, out bool tarpit) && !tarpit);
    }

    [Fact]
    public void An_invitation_is_good_once()
    {
        Book book = new(new byte[10]);
        MeshHarness mesh = SptpsPeer.Mesh(settings => settings with { Invitations = book });
        SptpsPeer first = SptpsPeer.Guest(mesh, SptpsVectors.A.Public, out _), second = SptpsPeer.Guest(mesh, SptpsVectors.A.Public, out _);
        first.SendRecord(0, s_cookie);
        second.SendRecord(0, s_cookie);
        Assert.NotEmpty(first.Records);
        Assert.Empty(second.Records);
        Assert.True(mesh.IsClosed(second.Id, out bool tarpit) && tarpit);
    }

    [Fact]
    public void Whoever_does_otherwise_meets_silence()
    {
        byte[] key = Encoding.ASCII.GetBytes(s_newKey.ToString());
        (byte Type, byte[] Data)[][] deeds =
        [
            [(0, s_cookie[..17])],
            [(0, [.. s_cookie, 0])],
            [(0, [])],
            [(0, SptpsVectors.Run(1, 18))], // another cookie
            [(1, s_cookie)],
            [(1, key)], // the key before the cookie
            [(2, [])],
            [(0, s_cookie), (0, s_cookie)],
            [(0, s_cookie), (2, key)],
            [(0, s_cookie), (1, [])],
            [(0, s_cookie), (1, [.. key, (byte)'\n', .. "Address = 192.0.2.66"u8])],
            [(0, s_cookie), (1, key[..42])],
            [(0, s_cookie), (1, new byte[2000])],
            [(0, s_cookie), (129, key)],
        ];
        foreach ((byte Type, byte[] Data)[] deed in deeds)
        {
            Book book = new(new byte[10]);
            MeshHarness mesh = SptpsPeer.Mesh(settings => settings with { Invitations = book });
            SptpsPeer guest = SptpsPeer.Guest(mesh, SptpsVectors.A.Public, out _);
            foreach ((byte type, byte[] data) in deed)
                guest.SendRecord(type, data);
            Assert.True(mesh.IsClosed(guest.Id, out bool tarpit) && tarpit);
            Assert.Null(book.Accepted);
            Assert.DoesNotContain(guest.Records, record => record.Type == 2);
            Assert.Empty(mesh.Taken<MeshAction.RunScript>());
        }
    }

    [Theory]
    [InlineData("0 ?DE6B/OvzQ4bHw1NGnvEwZeG5WDzml2wXdwthkJRVxgL 17.1", false)] // no invitations here
    [InlineData("0 ? 17.1", true)]
    [InlineData("0 ?short 17.1", true)]
    [InlineData("0 ?DE6B/OvzQ4bHw1NGnvEwZeG5WDzml2wXdwthkJRVxg! 17.1", true)]
    public void Bad_greetings_are_not_answered(string line, bool hasBook)
    {
        MeshHarness mesh = SptpsPeer.Mesh(settings => settings with { Invitations = hasBook ? new Book([]) : null });
        ConnectionId id = mesh.Accept();
        mesh.Say(id, line);
        Assert.Empty(mesh.HeardBytes(id));
        Assert.True(mesh.IsClosed(id, out bool tarpit) && tarpit);
    }

    [Fact]
    public void A_node_that_could_not_talk_to_the_guest_later_redeems_nothing()
    {
        MeshHarness mesh = SptpsPeer.Mesh(settings => settings with { Invitations = new Book([]), SpeaksSptps = false });
        ConnectionId id = mesh.Accept();
        mesh.Say(id, "0 ?DE6B/OvzQ4bHw1NGnvEwZeG5WDzml2wXdwthkJRVxgL 17.1");
        Assert.Empty(mesh.HeardBytes(id));
        Assert.True(mesh.IsClosed(id, out _));
    }

    [Fact]
    public void The_guest_has_a_minute_for_its_keys_and_no_more()
    {
        MeshHarness mesh = SptpsPeer.Mesh(settings => settings with { Invitations = new Book(new byte[10]) });
        SptpsPeer idle = SptpsPeer.Guest(mesh, SptpsVectors.A.Public, out _);
        mesh.WaitSeconds(11);
        Assert.True(idle.IsClosed);
        SptpsPeer guest = SptpsPeer.Guest(mesh, SptpsVectors.A.Public, out _);
        guest.SendRecord(0, s_cookie);
        mesh.WaitSeconds(59);
        Assert.False(guest.IsClosed);
        mesh.WaitSeconds(7);
        Assert.True(guest.IsClosed);
    }

    [Fact]
    public void A_host_file_that_exists_is_not_replaced()
    {
        Book book = new(new byte[10]) { Refuses = true };
        MeshHarness mesh = SptpsPeer.Mesh(settings => settings with { Invitations = book });
        SptpsPeer guest = SptpsPeer.Guest(mesh, SptpsVectors.A.Public, out _);
        guest.SendRecord(0, s_cookie);
        guest.SendRecord(1, Encoding.ASCII.GetBytes(s_newKey.ToString()));
        Assert.True(guest.IsClosed);
        Assert.Empty(mesh.Taken<MeshAction.RunScript>());
    }

    private sealed class Book(byte[] file) : IInvitationBook
    {
        private bool _redeemed;

        public byte[] File => file;

        public bool Refuses { get; init; }

        public (string Name, string Key)? Accepted { get; private set; }

        public Ed25519Identity? Key => SptpsVectors.A;

        public bool TryRedeem(ReadOnlySpan<byte> cookie, [NotNullWhen(true)] out string? name, [NotNullWhen(true)] out byte[]? content)
        {
            bool ok = !_redeemed && cookie.SequenceEqual(s_cookie);
            _redeemed |= ok;
            (name, content) = ok ? ("delta", file) : (null, null);
            return ok;
        }

        public bool TryAccept(string name, string publicKey)
        {
            Accepted = Refuses ? null : (name, publicKey);
            return !Refuses;
        }
    }
}
