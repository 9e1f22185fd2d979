using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Crypto;

/// <summary>Initialises libsodium once and checks that its lengths are the ones we were written for.</summary>
internal static class SodiumLibrary
{
    private static readonly bool s_ready = Initialise();

    /// <summary>To be called before anything else of libsodium.</summary>
    /// <exception cref="DllNotFoundException">It is not installed.</exception>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void EnsureReady()
    {
        if (!s_ready)
            ThrowUnusable();
    }

    private static bool Initialise() =>
        Libsodium.sodium_init() >= 0
        && Libsodium.crypto_sign_ed25519_bytes() == Libsodium.crypto_sign_ed25519_BYTES
        && Libsodium.crypto_sign_ed25519_publickeybytes() == Libsodium.crypto_sign_ed25519_PUBLICKEYBYTES
        && Libsodium.crypto_core_ed25519_scalarbytes() == Libsodium.crypto_core_ed25519_SCALARBYTES
        && Libsodium.crypto_core_ed25519_nonreducedscalarbytes() == Libsodium.crypto_core_ed25519_NONREDUCEDSCALARBYTES
        && Libsodium.crypto_scalarmult_ed25519_bytes() == Libsodium.crypto_scalarmult_ed25519_BYTES
        && Libsodium.crypto_scalarmult_curve25519_bytes() == Libsodium.crypto_scalarmult_curve25519_BYTES;

    [DoesNotReturn]
    private static void ThrowUnusable() => throw new DllNotFoundException($"{Libsodium.Library} is not the library this program was made for.");
}
