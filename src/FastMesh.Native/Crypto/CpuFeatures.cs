using System.Runtime.Intrinsics.X86;
using ArmAes = System.Runtime.Intrinsics.Arm.Aes;

namespace FastMesh.Native.Crypto;

/// <summary>What the processor does in hardware.</summary>
public static class CpuFeatures
{
    /// <summary>Whether AES-GCM has instructions of its own, for the cipher and for GHASH; then it is faster than ChaCha20-Poly1305.</summary>
    public static bool HasFastAes => (Aes.IsSupported && Pclmulqdq.IsSupported) || ArmAes.IsSupported;
}
