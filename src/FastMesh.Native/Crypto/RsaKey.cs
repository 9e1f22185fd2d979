using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Crypto;

/// <summary>
/// An RSA key as tinc 1.0 uses it: bare modular exponentiation, no padding scheme (tinc 1.0 reference, 4.4). Immutable, usable from any
/// thread; private operations are blinded by libcrypto. The numbers live in libcrypto's memory and are wiped when freed.
/// </summary>
public sealed unsafe class RsaKey : SafeHandle
{
    private const string PublicLabel = "RSA PUBLIC KEY", SpkiLabel = "PUBLIC KEY";
    private const string PrivateLabel = "RSA PRIVATE KEY", Pkcs8Label = "PRIVATE KEY";

    private RsaKey(nint rsa)
        : base(0, ownsHandle: true)
    {
        SetHandle(rsa);
        ModulusBits = Libcrypto.RSA_bits(rsa);
        ModulusLength = Libcrypto.RSA_size(rsa);
        nint n, e, d;
        Libcrypto.RSA_get0_key(rsa, &n, &e, &d);
        HasPrivate = d != 0;
    }

    /// <summary>Bits of the modulus.</summary>
    public int ModulusBits { get; }

    /// <summary>Bytes of the modulus: the length of every input and output.</summary>
    public int ModulusLength { get; }

    /// <summary>Whether <see cref="PrivateTransform"/> works.</summary>
    public bool HasPrivate { get; }

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>
    /// Takes the first "RSA PUBLIC KEY" block (PKCS#1) of a text, else the first "PUBLIC KEY" block (SPKI); other blocks are skipped. Null if
    /// there is none or it is malformed.
    /// </summary>
    public static RsaKey? FromPublicPem(ReadOnlySpan<char> text) =>
        FromBlock(text, PublicLabel, &Libcrypto.d2i_RSAPublicKey) ?? FromBlock(text, SpkiLabel, &Libcrypto.d2i_RSA_PUBKEY);

    /// <summary>
    /// Takes the first "RSA PRIVATE KEY" block (PKCS#1) of a text, else the first "PRIVATE KEY" block (PKCS#8), not encrypted. Null if there
    /// is none or it is malformed.
    /// </summary>
    public static RsaKey? FromPrivatePem(ReadOnlySpan<char> text) =>
        FromBlock(text, PrivateLabel, &Libcrypto.d2i_RSAPrivateKey) ?? FromBlock(text, Pkcs8Label, &DecodePkcs8);

    /// <summary>
    /// Makes a key of big-endian numbers; <paramref name="d"/> is empty for a public key. tinc's hex form knows no primes, so without them a
    /// private operation takes several times as long. Null if a number is missing.
    /// </summary>
    public static RsaKey? FromNumbers(ReadOnlySpan<byte> n, ReadOnlySpan<byte> e, ReadOnlySpan<byte> d)
    {
        if (n.IsEmpty || e.IsEmpty)
            return null;
        nint rsa = Libcrypto.RSA_new();
        if (Libcrypto.RSA_set0_key(rsa, Number(n), Number(e), d.IsEmpty ? 0 : Number(d)) == 1)
            return new(rsa);
        Libcrypto.RSA_free(rsa);
        Libcrypto.ERR_clear_error();
        return null;
    }

    /// <summary>Generates a key with public exponent 65537. Takes seconds for 4096 bits and more.</summary>
    /// <exception cref="CryptographicException">The size is below 512 bits.</exception>
    public static RsaKey Generate(int bits)
    {
        nint rsa = Libcrypto.RSA_new();
        nint exponent = Number([1, 0, 1]);
        int result = Libcrypto.RSA_generate_key_ex(rsa, bits, exponent, 0);
        Libcrypto.BN_clear_free(exponent);
        if (result == 1)
            return new(rsa);
        Libcrypto.RSA_free(rsa);
        Libcrypto.ERR_clear_error();
        throw new CryptographicException($"Could not generate an RSA key of {bits} bits.");
    }

    /// <summary>
    /// Raises a number to the public exponent. Both buffers are <see cref="ModulusLength"/> bytes, big endian. False if not, or if the number
    /// is not below the modulus.
    /// </summary>
    public bool PublicTransform(ReadOnlySpan<byte> input, Span<byte> output) => Transform(&Libcrypto.RSA_public_encrypt, input, output);

    /// <summary>As <see cref="PublicTransform"/> with the private exponent; false too for a public key.</summary>
    public bool PrivateTransform(ReadOnlySpan<byte> input, Span<byte> output) =>
        HasPrivate && Transform(&Libcrypto.RSA_private_decrypt, input, output);

    /// <summary>The public key as a PKCS#1 PEM block, without a final newline.</summary>
    public string ExportPublicPem() => new(Export(PublicLabel, &Libcrypto.i2d_RSAPublicKey));

    /// <summary>The private key as a PKCS#1 PEM block, without a final newline. The caller wipes it.</summary>
    /// <exception cref="CryptographicException">It is a public key.</exception>
    public char[] ExportPrivatePem() => Export(PrivateLabel, &Libcrypto.i2d_RSAPrivateKey);

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        Libcrypto.RSA_free(handle);
        return true;
    }

    private bool Transform(delegate*<int, byte*, byte*, nint, int, int> operation, ReadOnlySpan<byte> input, Span<byte> output)
    {
        if (input.Length != ModulusLength || output.Length != ModulusLength || IsClosed)
            return false;
        int length;
        fixed (byte* from = input)
        fixed (byte* to = output)
            length = operation(input.Length, from, to, handle, Libcrypto.RSA_NO_PADDING);
        GC.KeepAlive(this);
        if (length == ModulusLength)
            return true;
        Libcrypto.ERR_clear_error();
        return false;
    }

    private char[] Export(string label, delegate*<nint, byte**, int> encode)
    {
        int length = encode(handle, null);
        if (length <= 0)
        {
            Libcrypto.ERR_clear_error();
            throw new CryptographicException($"The key has no {label}.");
        }
        byte[] der = GC.AllocateUninitializedArray<byte>(length, pinned: true);
        fixed (byte* start = der)
        {
            byte* p = start;
            encode(handle, &p);
        }
        char[] pem = PemEncoding.Write(label, der);
        CryptographicOperations.ZeroMemory(der);
        return pem;
    }

    private static RsaKey? FromBlock(ReadOnlySpan<char> text, string label, delegate*<nint, byte**, nint, nint> decode)
    {
        while (PemEncoding.TryFind(text, out PemFields fields))
        {
            if (text[fields.Label].SequenceEqual(label))
                return FromBase64(text[fields.Base64Data], fields.DecodedDataLength, decode);
            text = text[fields.Location.End..];
        }
        return null;
    }

    private static RsaKey? FromBase64(ReadOnlySpan<char> base64, int length, delegate*<nint, byte**, nint, nint> decode)
    {
        byte[] der = GC.AllocateUninitializedArray<byte>(length, pinned: true);
        nint rsa = 0;
        if (Convert.TryFromBase64Chars(base64, der, out int written) && written > 0)
        {
            fixed (byte* start = der)
            {
                byte* p = start;
                rsa = decode(0, &p, written);
            }
        }
        CryptographicOperations.ZeroMemory(der);
        Libcrypto.ERR_clear_error();
        return rsa == 0 ? null : new(rsa);
    }

    private static nint DecodePkcs8(nint reuse, byte** der, nint length)
    {
        nint key = Libcrypto.d2i_AutoPrivateKey(reuse, der, length);
        if (key == 0)
            return 0;
        nint rsa = Libcrypto.EVP_PKEY_get1_RSA(key);
        Libcrypto.EVP_PKEY_free(key);
        return rsa;
    }

    private static nint Number(ReadOnlySpan<byte> bigEndian)
    {
        fixed (byte* p = bigEndian)
            return Libcrypto.BN_bin2bn(p, bigEndian.Length, 0);
    }
}
