using System.Text;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;

namespace FastMesh.Cli.Tests.Config;

/// <summary>The vectors of the tinc 1.1 reference, chapter 12, and the forms of 9.3.</summary>
public class InvitationUrlTests
{
    private const string Secret = "Q1niJ7MxWKt9tZ0Owz7irT1OAEgADQQBGcACJowCM0gDPARE";

    private static readonly byte[] s_cookie = [.. Enumerable.Range(0, 18).Select(i => (byte)i)];

    private static Ed25519PublicKey Key { get; } = Ed25519Identity.FromSeed([.. Enumerable.Range(0, 32).Select(i => (byte)i)]).Public;

    [Fact]
    public void Hash_and_file_name_are_those_of_the_reference()
    {
        InvitationUrl url = new(new HostPort("vpn.example.org", "655"), InvitationUrl.HashOf(Key), s_cookie);
        Assert.Equal($"vpn.example.org:655/{Secret}", url.ToString());
        Assert.Equal("rxGKzWepaXzHVHiM-_gzY3Ro", InvitationUrl.FileName(s_cookie, Key));
        Assert.True(InvitationUrl.IsFileName("rxGKzWepaXzHVHiM-_gzY3Ro"));
        Assert.False(InvitationUrl.IsFileName("ed25519_key.priv"));
    }

    [Theory]
    [InlineData("vpn.example.org:7000", "vpn.example.org", "7000")]
    [InlineData("192.0.2.1", "192.0.2.1", "655")]
    [InlineData("[2001:db8::1]:700", "2001:db8::1", "700")]
    [InlineData("[2001:db8::1]", "2001:db8::1", "655")]
    public void A_url_is_taken_apart(string address, string host, string port)
    {
        Assert.True(InvitationUrl.TryParse($"{address}/{Secret}", out InvitationUrl? url));
        Assert.Equal(new HostPort(host, port), url.Address);
        Assert.Equal(InvitationUrl.HashOf(Key), url.KeyHash);
        Assert.Equal(s_cookie, url.Cookie);
        Assert.Equal(port == "655" ? $"{address}:655/{Secret}" : $"{address}/{Secret}", url.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData(Secret)]
    [InlineData("/" + Secret)]
    [InlineData("host/" + Secret + "A")]
    [InlineData("host/A")]
    [InlineData("host/" + "!1niJ7MxWKt9tZ0Owz7irT1OAEgADQQBGcACJowCM0gDPARE")]
    [InlineData("host:/" + Secret)]
    [InlineData(":655/" + Secret)]
    [InlineData("2001:db8::1/" + Secret)]
    [InlineData("[2001:db8::1/" + Secret)]
    [InlineData("[]:655/" + Secret)]
    [InlineData("[2001:db8::1]655/" + Secret)]
    [InlineData("[[]:655/" + Secret)]
    [InlineData("[a]::1/" + Secret)]
    [InlineData("a]:655/" + Secret)]
    [InlineData("a/b:655/" + Secret)]
    [InlineData("ho st:655/" + Secret)]
    public void What_is_no_url_is_refused(string text) => Assert.False(InvitationUrl.TryParse(text, out _));

    [Fact]
    public void Any_text_is_a_url_or_not()
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        string[] pieces = ["[", "]", ":", "/", "a", "::1", "655", Secret, " ", "\0", "é"];
        for (int i = 0; i < 20000; i++)
        {
            StringBuilder text = new();
            for (int n = random.Next(8); n > 0; n--)
                text.Append(pieces[random.Next(pieces.Length)]);
            if (InvitationUrl.TryParse(text.ToString(), out InvitationUrl? url))
                Assert.True(InvitationUrl.TryParse(url.ToString(), out InvitationUrl? again) && again.Address == url.Address, $"seed {seed}: {text}");
        }
    }
}
