using FastMesh.Engine.Crypto;

namespace FastMesh.Cli.Commands;

/// <summary>The keys of a new node, as the texts of its files.</summary>
/// <param name="RsaPrivate">rsa_key.priv.</param>
/// <param name="Ed25519Private">ed25519_key.priv.</param>
/// <param name="PublicLines">What goes to its host file.</param>
/// <param name="Ed25519Public">The public key by which an inviter will know it.</param>
internal sealed record NewKeys(string RsaPrivate, string Ed25519Private, string PublicLines, Ed25519PublicKey Ed25519Public)
{
    /// <summary>Makes both pairs; the RSA one takes a moment, which is shown.</summary>
    public static NewKeys Generate(int rsaBits, TextWriter progress)
    {
        RsaKeyPair rsa = KeysCommand.GenerateKey(rsaBits, progress);
        Ed25519Identity ed25519 = Ed25519Identity.Generate(new SystemRandom());
        return new NewKeys(
            $"{rsa.PrivatePem}\n", ed25519.ToPem(), $"Ed25519PublicKey = {ed25519.Public}\n{rsa.PublicPem}\n", ed25519.Public);
    }
}
