using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>Which Ed25519 keys are believed: what the user wrote, what an RSA key vouches for, what was learned, what comes first.</summary>
public sealed class KeyTrustTests
{
    private static readonly RsaIdentity s_rsa = MakeRsa(), s_otherRsa = MakeRsa();
    private static readonly Ed25519PublicKey s_key = MakeKey(1), s_other = MakeKey(2);

    private readonly MeshHarness _files = new MeshHarness().Start();
    private readonly KeysInMemory _known = new();
    private readonly KeyTrust _trust;

    public KeyTrustTests() => _trust = new KeyTrust(_files, _known, new EngineLog(_files));

    private static byte[] Certificate => s_rsa.Sign(KeyTrust.Certified("beta", s_key));

    [Fact]
    public void A_node_that_nothing_is_known_of_is_believed_once_and_remembered()
    {
        Assert.True(_trust.Accept("beta", s_key, []));
        Assert.True(_trust.Accept("beta", s_key, []));
        Assert.False(_trust.Accept("beta", s_other, []));
        Assert.False(_trust.Accept("beta", s_other, null));
        Assert.Equal(s_key, _trust.Find("beta"));
        Assert.Single(_files.Log, line => line == $"Learned the Ed25519 key of beta: {s_key}");
        string refusal = Assert.Single(_files.Log, line => line.StartsWith("Refusing", StringComparison.Ordinal)); // once, though it came twice
        Assert.Contains("remove memory", refusal, StringComparison.Ordinal);
        Assert.Contains(s_other.ToString(), refusal, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_user_wrote_in_the_host_file_goes_before_everything()
    {
        _known.Learn("beta", s_other);
        _files.HostFiles["beta"] = new PeerSettings { Ed25519Key = s_key, PublicKey = s_rsa.Public };
        Assert.True(_trust.Accept("beta", s_key, []));
        Assert.True(_trust.Accept("beta", s_key, null));
        Assert.False(_trust.Accept("beta", s_other, s_rsa.Sign(KeyTrust.Certified("beta", s_other))));
        Assert.Equal(s_key, _trust.Find("beta"));
        Assert.Contains(_files.Log, line => line.EndsWith("it is not the Ed25519PublicKey in hosts/beta", StringComparison.Ordinal));
    }

    [Fact]
    public void A_node_with_an_rsa_key_in_its_host_file_must_show_its_certificate()
    {
        _files.HostFiles["beta"] = new PeerSettings { PublicKey = s_rsa.Public };
        Assert.False(_trust.Accept("beta", s_key, []));
        Assert.False(_trust.Accept("beta", s_key, s_otherRsa.Sign(KeyTrust.Certified("beta", s_key))));
        Assert.False(_trust.Accept("beta", s_key, s_rsa.Sign(KeyTrust.Certified("gamma", s_key))));
        Assert.False(_trust.Accept("beta", s_key, s_rsa.Sign(KeyTrust.Certified("beta", s_other))));
        Assert.Null(_trust.Find("beta"));
        Assert.True(_trust.Accept("beta", s_key, Certificate));
        Assert.Equal(s_key, _known.Find("beta"));
        Assert.Contains(_files.Log, line => line.EndsWith("it is not signed by the RSA key in hosts/beta", StringComparison.Ordinal));
    }

    [Fact]
    public void A_certificate_replaces_what_was_learned_before()
    {
        _known.Learn("beta", s_other);
        _files.HostFiles["beta"] = new PeerSettings { PublicKey = s_rsa.Public };
        Assert.True(_trust.Accept("beta", s_key, Certificate));
        Assert.Equal(s_key, _trust.Find("beta"));
    }

    [Fact]
    public void Where_there_are_no_certificates_the_rsa_key_says_nothing()
    {
        _files.HostFiles["beta"] = new PeerSettings { PublicKey = s_rsa.Public };
        Assert.True(_trust.Accept("beta", s_key, certificate: null));
        Assert.False(_trust.Accept("beta", s_other, certificate: null));
    }

    private static RsaIdentity MakeRsa()
    {
        Assert.True(RsaIdentity.TryFromPem(RsaKeyPair.Generate(1024).PrivatePem, out RsaIdentity? key, out string reason), reason);
        return key;
    }

    private static Ed25519PublicKey MakeKey(int seed) => Ed25519Identity.Generate(new TestRandom(seed)).Public;
}
