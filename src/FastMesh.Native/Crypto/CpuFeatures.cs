using System.Runtime.Intrinsics.X86;
using ArmAes = System.Runtime.Intrinsics.Arm.Aes;

namespace FastMesh.Native.Crypto;

/// <summary>What the processor does in hardware.</summary>
public static class CpuFeatures
{
    /// <summary>Whether AES-GCM has instructions of its own, for the cipher and for GHASH; then it is faster than ChaCha20-Poly1305.</summary>
    public static bool HasFastAes => (Aes.IsSupported && Pclmulqdq.IsSupported) || ArmAes.IsSupported;

    /// <summary>
    /// The longest vectors of the processor: AVX-512, AVX2, SSE or ARMv8. Asked of itself (Intel SDM, volume 2A, CPUID leaf 7), because what the runtime calls
    /// supported ends with what this program is built for, and libraries look for themselves.
    /// </summary>
    public static string LongestVectors
    {
        get
        {
            const int Avx2Bit = 1 << 5, Avx512FBit = 1 << 16;
            if (ArmAes.IsSupported)
                return "ARMv8";
            int features = X86Base.IsSupported ? X86Base.CpuId(7, 0).Ebx : 0;
            return (features & Avx512FBit) != 0 ? "AVX-512" : (features & Avx2Bit) != 0 ? "AVX2" : "SSE";
        }
    }
}
