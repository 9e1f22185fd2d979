using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using System.Text;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// What an invited node is given: where to connect, by what the inviter is recognised, and the secret that is exchanged for the invitation (tinc 1.1
/// reference, 9.3). As text <c>HOST:PORT/</c>, then 24 characters of key hash and 24 of cookie in the URL alphabet.
/// </summary>
/// <param name="Address">The inviter; an IPv6 address is in square brackets in the text only.</param>
/// <param name="KeyHash">The first 18 bytes of SHA-512 of the invitation key's base64.</param>
/// <param name="Cookie">18 secret bytes.</param>
public sealed record InvitationUrl(HostPort Address, byte[] KeyHash, byte[] Cookie)
{
    /// <summary>Bytes of cookie and key hash.</summary>
    public const int PartLength = 18;

    /// <summary>Characters of a part in a URL, and of the name of an invitation's file.</summary>
    public const int PartCharacters = 24;

    private const string DefaultPort = "655";

    /// <summary>The hash by which a key is recognised.</summary>
    public static byte[] HashOf(Ed25519PublicKey key) => SHA512.HashData(Encoding.ASCII.GetBytes($"{key}"))[..PartLength];

    /// <summary>The name of the file that holds the invitation of a cookie.</summary>
    public static string FileName(ReadOnlySpan<byte> cookie, Ed25519PublicKey key)
        => TincBase64.Encode(SHA512.HashData([.. cookie, .. Encoding.ASCII.GetBytes($"{key}")]).AsSpan(0, PartLength), url: true);

    /// <summary>Whether a file name is that of an invitation; the same directory holds the key.</summary>
    public static bool IsFileName(ReadOnlySpan<char> name) => name.Length == PartCharacters && TincBase64.TryDecode(name, out _);

    /// <summary>Takes a URL apart. Without a port it is 655.</summary>
    public static bool TryParse(string text, [NotNullWhen(true)] out InvitationUrl? url)
    {
        ArgumentNullException.ThrowIfNull(text);
        url = null;
        int slash = text.LastIndexOf('/');
        string secret = text[(slash + 1)..];
        if (slash < 0 || secret.Length != 2 * PartCharacters || !TincBase64.TryDecode(secret, out byte[] bytes)
            || !TryParseAddress(text[..slash], out HostPort address))
            return false;

        url = new(address, bytes[..PartLength], bytes[PartLength..]);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString()
    {
        string host = Address.Host.Contains(':', StringComparison.Ordinal) ? $"[{Address.Host}]" : Address.Host;
        return $"{host}:{Address.Port}/{TincBase64.Encode(KeyHash, url: true)}{TincBase64.Encode(Cookie, url: true)}";
    }

    private static bool TryParseAddress(string text, out HostPort address)
    {
        bool bracketed = text.StartsWith('[');
        int end = bracketed ? text.IndexOf(']', StringComparison.Ordinal) : text.LastIndexOf(':');
        string host = bracketed && end > 0 ? text[1..end] : end < 0 ? text : text[..end];
        string rest = bracketed ? text[(end + 1)..] : end < 0 ? "" : text[end..];
        address = new(host, rest.Length > 1 ? rest[1..] : DefaultPort);
        return host.Length > 0 && !(bracketed && end < 0) && (rest.Length == 0 || (rest[0] == ':' && rest.Length > 1))
            && host.AsSpan().IndexOfAny("[]/") < 0 && address.Port.AsSpan().IndexOfAny("[]/:") < 0
            && (bracketed || !host.Contains(':', StringComparison.Ordinal)) && !text.Any(char.IsWhiteSpace);
    }
}
