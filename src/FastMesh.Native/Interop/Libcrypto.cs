using System.Runtime.InteropServices;

namespace FastMesh.Native.Interop;

/// <summary>OpenSSL 3: what the protocols need of ciphers, digests, MACs and RSA. 1 means success.</summary>
internal static unsafe partial class Libcrypto
{
    private const string Library = "libcrypto.so.3";

    internal const int EVP_CIPH_FLAG_AEAD_CIPHER = 0x200000;
    internal const int EVP_CTRL_AEAD_GET_TAG = 0x10, EVP_CTRL_AEAD_SET_TAG = 0x11;
    internal const int RSA_NO_PADDING = 3;

    /// <summary>sizeof(SHA256_CTX); the same since OpenSSL 0.9.8.</summary>
    internal const int Sha256ContextSize = 112;

    internal const int OPENSSL_VERSION_STRING = 6;

    [LibraryImport(Library)]
    internal static partial byte* OpenSSL_version(int type);

    [LibraryImport(Library)]
    internal static partial void ERR_clear_error();

    [LibraryImport(Library)]
    internal static partial void OPENSSL_cleanse(void* memory, nuint length);

    [LibraryImport(Library)]
    internal static partial byte* OBJ_nid2sn(int nid);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint EVP_get_cipherbyname(string name);

    [LibraryImport(Library)]
    internal static partial nint EVP_CIPHER_fetch(nint context, byte* algorithm, byte* properties);

    [LibraryImport(Library)]
    internal static partial int EVP_CIPHER_get_nid(nint cipher);

    [LibraryImport(Library)]
    internal static partial int EVP_CIPHER_get_key_length(nint cipher);

    [LibraryImport(Library)]
    internal static partial int EVP_CIPHER_get_iv_length(nint cipher);

    [LibraryImport(Library)]
    internal static partial int EVP_CIPHER_get_block_size(nint cipher);

    [LibraryImport(Library)]
    internal static partial int EVP_CIPHER_get_mode(nint cipher);

    [LibraryImport(Library)]
    internal static partial ulong EVP_CIPHER_get_flags(nint cipher);

    [LibraryImport(Library)]
    internal static partial nint EVP_CIPHER_CTX_new();

    [LibraryImport(Library)]
    internal static partial void EVP_CIPHER_CTX_free(nint context);

    [LibraryImport(Library)]
    internal static partial int EVP_CIPHER_CTX_set_padding(nint context, int padding);

    [LibraryImport(Library)]
    internal static partial int EVP_CIPHER_CTX_ctrl(nint context, int type, int argument, void* pointer);

    [LibraryImport(Library)]
    internal static partial int EVP_CipherInit_ex(nint context, nint cipher, nint engine, byte* key, byte* iv, int encrypt);

    [LibraryImport(Library)]
    internal static partial int EVP_CipherUpdate(nint context, byte* output, int* outputLength, byte* input, int inputLength);

    [LibraryImport(Library)]
    internal static partial int EVP_CipherFinal_ex(nint context, byte* output, int* outputLength);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    internal static partial nint EVP_get_digestbyname(string name);

    [LibraryImport(Library)]
    internal static partial nint EVP_MD_fetch(nint context, byte* algorithm, byte* properties);

    [LibraryImport(Library)]
    internal static partial int EVP_MD_get_type(nint digest);

    [LibraryImport(Library)]
    internal static partial int EVP_MD_get_size(nint digest);

    [LibraryImport(Library)]
    internal static partial int EVP_Digest(byte* data, nuint length, byte* hash, uint* hashLength, nint digest, nint engine);

    [LibraryImport(Library)]
    internal static partial nint HMAC_CTX_new();

    [LibraryImport(Library)]
    internal static partial void HMAC_CTX_free(nint context);

    [LibraryImport(Library)]
    internal static partial int HMAC_Init_ex(nint context, byte* key, int keyLength, nint digest, nint engine);

    [LibraryImport(Library)]
    internal static partial int HMAC_Update(nint context, byte* data, nuint length);

    [LibraryImport(Library)]
    internal static partial int HMAC_Final(nint context, byte* mac, uint* length);

    [LibraryImport(Library)]
    internal static partial nint EVP_MAC_fetch(nint context, byte* algorithm, byte* properties);

    [LibraryImport(Library)]
    internal static partial nint EVP_MAC_CTX_new(nint mac);

    [LibraryImport(Library)]
    internal static partial void EVP_MAC_CTX_free(nint context);

    [LibraryImport(Library)]
    internal static partial int EVP_MAC_init(nint context, byte* key, nuint keyLength, void* parameters);

    [LibraryImport(Library)]
    internal static partial int EVP_MAC_update(nint context, byte* data, nuint length);

    [LibraryImport(Library)]
    internal static partial int EVP_MAC_final(nint context, byte* tag, nuint* length, nuint room);

    [LibraryImport(Library)]
    internal static partial int SHA256_Init(void* context);

    [LibraryImport(Library)]
    internal static partial int SHA256_Update(void* context, byte* data, nuint length);

    [LibraryImport(Library)]
    internal static partial int SHA256_Final(byte* hash, void* context);
}
