using System.Runtime.InteropServices;

namespace FastMesh.Native.Interop;

/// <summary>libsodium: arithmetic on edwards25519 and X25519. Functions that return int return 0 for success.</summary>
internal static unsafe partial class Libsodium
{
    internal const string Library = "libsodium.so.23";

    internal const int crypto_sign_ed25519_BYTES = 64, crypto_sign_ed25519_PUBLICKEYBYTES = 32;
    internal const int crypto_core_ed25519_SCALARBYTES = 32, crypto_core_ed25519_NONREDUCEDSCALARBYTES = 64;
    internal const int crypto_scalarmult_ed25519_BYTES = 32, crypto_scalarmult_curve25519_BYTES = 32;

    [LibraryImport(Library)]
    internal static partial int sodium_init();

    [LibraryImport(Library)]
    internal static partial void sodium_memzero(void* memory, nuint length);

    [LibraryImport(Library)]
    internal static partial nuint crypto_sign_ed25519_bytes();

    [LibraryImport(Library)]
    internal static partial nuint crypto_sign_ed25519_publickeybytes();

    [LibraryImport(Library)]
    internal static partial nuint crypto_core_ed25519_scalarbytes();

    [LibraryImport(Library)]
    internal static partial nuint crypto_core_ed25519_nonreducedscalarbytes();

    [LibraryImport(Library)]
    internal static partial nuint crypto_scalarmult_ed25519_bytes();

    [LibraryImport(Library)]
    internal static partial nuint crypto_scalarmult_curve25519_bytes();

    [LibraryImport(Library)]
    internal static partial void crypto_core_ed25519_scalar_reduce(byte* reduced, byte* scalar);

    [LibraryImport(Library)]
    internal static partial void crypto_core_ed25519_scalar_mul(byte* product, byte* x, byte* y);

    [LibraryImport(Library)]
    internal static partial void crypto_core_ed25519_scalar_add(byte* sum, byte* x, byte* y);

    [LibraryImport(Library)]
    internal static partial int crypto_scalarmult_ed25519_base_noclamp(byte* point, byte* scalar);

    [LibraryImport(Library)]
    internal static partial int crypto_scalarmult_curve25519(byte* shared, byte* scalar, byte* u);

    [LibraryImport(Library)]
    internal static partial int crypto_sign_ed25519_verify_detached(byte* signature, byte* message, ulong length, byte* publicKey);

    [LibraryImport(Library)]
    internal static partial int crypto_sign_ed25519_pk_to_curve25519(byte* u, byte* point);
}
