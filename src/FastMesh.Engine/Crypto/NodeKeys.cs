using FastMesh.Native.Crypto;

namespace FastMesh.Engine.Crypto;

/// <summary>This node's RSA key pair. Immutable; usable from any thread.</summary>
public sealed class RsaIdentity
{
    private RsaIdentity(RsaKey key) => Key = key;

    /// <summary>The key, for the handshake.</summary>
    internal RsaKey Key { get; }

    /// <summary>Size of the modulus in bits.</summary>
    public int Bits => Key.ModulusBits;

    /// <summary>
    /// Reads the first PEM block labelled RSA PRIVATE KEY (PKCS#1), or if there is none PRIVATE KEY (PKCS#8), of a file's text
    /// (tinc 1.0 reference, 2.3). Null if there is no usable one.
    /// </summary>
    public static RsaIdentity? FromPem(ReadOnlySpan<char> text) => RsaKey.FromPrivatePem(text) is { } key ? new(key) : null;

    /// <summary>Reads tinc's hex form, whose public exponent is 0xFFFF. Null if either is not all hex digits or they are no key.</summary>
    /// <param name="modulus">The value of PublicKey.</param>
    /// <param name="privateExponent">The value of PrivateKey.</param>
    public static RsaIdentity? FromHex(ReadOnlySpan<char> modulus, ReadOnlySpan<char> privateExponent)
        => HexKey.TryRead(privateExponent, out byte[] exponent) && HexKey.Read(modulus, exponent) is { } key ? new(key) : null;
}

/// <summary>Another node's RSA public key. Immutable; usable from any thread.</summary>
public sealed class RsaPublicIdentity
{
    private RsaPublicIdentity(RsaKey key) => Key = key;

    /// <summary>The key, for the handshake.</summary>
    internal RsaKey Key { get; }

    /// <summary>Size of the modulus in bits.</summary>
    public int Bits => Key.ModulusBits;

    /// <summary>
    /// Reads the first PEM block labelled RSA PUBLIC KEY (PKCS#1), or if there is none PUBLIC KEY (SPKI), of a host file's text
    /// (tinc 1.0 reference, 2.3). Blocks with other labels are skipped. Null if there is no usable one.
    /// </summary>
    public static RsaPublicIdentity? FromPem(ReadOnlySpan<char> text) => RsaKey.FromPublicPem(text) is { } key ? new(key) : null;

    /// <summary>Reads tinc's hex form: a modulus; the public exponent is then 0xFFFF. Null if it is not all hex digits or no key.</summary>
    public static RsaPublicIdentity? FromHex(ReadOnlySpan<char> modulus) => HexKey.Read(modulus, []) is { } key ? new(key) : null;
}

/// <summary>tinc's old form of keys: numbers in hex, public exponent 65535 (not 65537).</summary>
file static class HexKey
{
    public static RsaKey? Read(ReadOnlySpan<char> modulus, ReadOnlySpan<byte> privateExponent)
        => TryRead(modulus, out byte[] number) ? RsaKey.FromNumbers(number, [0xff, 0xff], privateExponent) : null;

    /// <summary>Reads a non-empty number; an odd count of digits has a leading zero left out.</summary>
    public static bool TryRead(ReadOnlySpan<char> text, out byte[] number)
    {
        string digits = text.Length % 2 == 0 ? text.ToString() : $"0{text}";
        number = new byte[digits.Length / 2];
        return text.Length > 0
            && Convert.FromHexString(digits, number, out _, out int written) == System.Buffers.OperationStatus.Done
            && written == number.Length;
    }
}
