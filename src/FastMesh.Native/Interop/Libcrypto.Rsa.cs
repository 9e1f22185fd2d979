using System.Runtime.InteropServices;

namespace FastMesh.Native.Interop;

/// <summary>OpenSSL 3: big numbers and RSA keys. Functions named set0 take ownership of the numbers given.</summary>
internal static unsafe partial class Libcrypto
{
    [LibraryImport(Library)]
    internal static partial nint BN_bin2bn(byte* bigEndian, int length, nint number);

    [LibraryImport(Library)]
    internal static partial void BN_clear_free(nint number);

    [LibraryImport(Library)]
    internal static partial nint RSA_new();

    [LibraryImport(Library)]
    internal static partial void RSA_free(nint rsa);

    [LibraryImport(Library)]
    internal static partial int RSA_bits(nint rsa);

    [LibraryImport(Library)]
    internal static partial int RSA_size(nint rsa);

    [LibraryImport(Library)]
    internal static partial void RSA_get0_key(nint rsa, nint* n, nint* e, nint* d);

    [LibraryImport(Library)]
    internal static partial int RSA_set0_key(nint rsa, nint n, nint e, nint d);

    [LibraryImport(Library)]
    internal static partial int RSA_set0_factors(nint rsa, nint p, nint q);

    [LibraryImport(Library)]
    internal static partial int RSA_set0_crt_params(nint rsa, nint dp, nint dq, nint qi);

    [LibraryImport(Library)]
    internal static partial int RSA_generate_key_ex(nint rsa, int bits, nint e, nint callback);

    [LibraryImport(Library)]
    internal static partial int RSA_public_encrypt(int length, byte* from, byte* to, nint rsa, int padding);

    [LibraryImport(Library)]
    internal static partial int RSA_private_decrypt(int length, byte* from, byte* to, nint rsa, int padding);

    [LibraryImport(Library)]
    internal static partial nint d2i_RSAPublicKey(nint reuse, byte** der, nint length);

    [LibraryImport(Library)]
    internal static partial nint d2i_RSAPrivateKey(nint reuse, byte** der, nint length);

    [LibraryImport(Library)]
    internal static partial nint d2i_RSA_PUBKEY(nint reuse, byte** der, nint length);

    [LibraryImport(Library)]
    internal static partial nint d2i_AutoPrivateKey(nint reuse, byte** der, nint length);

    [LibraryImport(Library)]
    internal static partial nint EVP_PKEY_get1_RSA(nint key);

    [LibraryImport(Library)]
    internal static partial void EVP_PKEY_free(nint key);

    [LibraryImport(Library)]
    internal static partial int i2d_RSAPublicKey(nint rsa, byte** der);

    [LibraryImport(Library)]
    internal static partial int i2d_RSAPrivateKey(nint rsa, byte** der);
}
