using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Crypto;

/// <summary>One thread's manager of ipsec-mb for ciphers and AEADs. It holds no state between calls, but each thread needs memory of its own.</summary>
internal sealed unsafe class IpsecMbManager : SafeHandle
{
    [ThreadStatic]
    private static IpsecMbManager? t_current;

    /// <summary>Makes the manager of one thread.</summary>
    public IpsecMbManager()
        : base(0, ownsHandle: true)
    {
        SetHandle((nint)LibIpsecMb.CreateCipherManager());
        if (IsInvalid)
            throw new CryptographicException("ipsec-mb has no memory for a manager.");
    }

    /// <summary>Whether the library is installed and its layout is known.</summary>
    public static bool IsAvailable => LibIpsecMb.JobSize != 0;

    /// <summary>The calling thread's own.</summary>
    public static IpsecMbManager Current => t_current ??= new();

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>IMB_MGR.</summary>
    public byte* Pointer => (byte*)handle;

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        LibIpsecMb.FreeManager((byte*)handle);
        return true;
    }
}
