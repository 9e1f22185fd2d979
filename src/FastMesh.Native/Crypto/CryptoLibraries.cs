using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using FastMesh.Native.Interop;
using ArmAes = System.Runtime.Intrinsics.Arm.Aes;

namespace FastMesh.Native.Crypto;

/// <summary>Which library encrypts and authenticates what. Each finds the instructions of the processor by itself; FastMesh has those it was built for.</summary>
public static unsafe class CryptoLibraries
{
    /// <summary>Whether ipsec-mb is installed, in a version whose layout is known, and may be used.</summary>
    public static bool HasIpsecMb => LibIpsecMb.JobSize != 0;

    /// <summary>From now on everything is done by libcrypto. Must come before the first use of any cipher.</summary>
    public static void LeaveOutIpsecMb() => LibIpsecMb.IsLeftOut = true;

    /// <summary>One line: the libraries, the longest vectors and the AES instructions that each uses, and the suites that it computes.</summary>
    public static string Describe()
    {
        string openssl = $"OpenSSL {Marshal.PtrToStringUTF8((nint)Libcrypto.OpenSSL_version(Libcrypto.OPENSSL_VERSION_STRING))} ({Width(openssl: true)})";
        string ipsecMb = HasIpsecMb ? $"ipsec-mb {LibIpsecMb.Version} ({Width(openssl: false)})" : openssl;
        string own = $"FastMesh ({(Avx512F.IsSupported ? "AVX-512" : "AVX2")})";
        string Library(bool isIpsecMb) => isIpsecMb ? ipsecMb : openssl;
        (string Suite, string Library)[] suites =
        [
            ("AES-256-GCM", Library(IpsecMbGcm.IsAvailable)), ("ChaCha20-Poly1305", Library(IpsecMbChaChaPoly.IsAvailable)),
            ("AES-CBC", Library(CbcDecryptor.IsAvailable)), ("HMAC", Library(HmacContext.HasTrains)),
            ("tinc 1.1's Poly1305", Library(Poly1305.HasIpsecMb)), ("tinc 1.1's ChaCha20", VectorTincChaChaPoly.IsAvailable ? own : openssl),
        ];
        return string.Join("; ", suites.GroupBy(suite => suite.Library, suite => suite.Suite)
            .Select(library => $"{string.Join(", ", library)} by {library.Key}"));
    }

    /// <summary>The longest vectors; for AES OpenSSL is told of by its instructions on short ones, which 3.0 never goes beyond.</summary>
    private static string Width(bool openssl)
    {
        if (ArmAes.IsSupported)
            return CpuFeatures.LongestVectors;
        string aes = !Aes.IsSupported ? "no AES" : !openssl && LibIpsecMb.HasVectorAes ? "VAES" : "AES-NI";
        return $"{CpuFeatures.LongestVectors}, {aes}";
    }
}
