using System.Runtime.InteropServices;
using System.Security.Cryptography;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Crypto;

/// <summary>
/// One thread's manager of ipsec-mb with its jobs: HMAC-SHA-256 of many messages side by side. The jobs point to a key's state only during
/// a call.
/// </summary>
internal sealed unsafe class HashBurst : SafeHandle
{
    public const int MaxMessages = LibIpsecMb.MaxBurst, TagRoom = 32;

    [ThreadStatic]
    private static HashBurst? t_current;

    private readonly byte* _jobs, _tags;

    /// <summary>Makes the manager of one thread.</summary>
    public HashBurst()
        : base(0, ownsHandle: true)
    {
        SetHandle((nint)LibIpsecMb.CreateHashManager());
        nuint jobBytes = (nuint)(MaxMessages * LibIpsecMb.JobSize), size = jobBytes + (MaxMessages * TagRoom);
        if (IsInvalid)
            throw new CryptographicException("ipsec-mb has no memory for a manager.");
        _jobs = (byte*)NativeMemory.AlignedAlloc(size, 64);
        _tags = _jobs + jobBytes;
        NativeMemory.Clear(_jobs, size);
    }

    /// <summary>Whether the library is installed and its layout is known.</summary>
    public static bool IsAvailable => LibIpsecMb.JobSize != 0;

    /// <summary>The calling thread's own.</summary>
    public static HashBurst Current => t_current ??= new();

    /// <inheritdoc/>
    public override bool IsInvalid => handle == 0;

    /// <summary>Says what the job of that number is. Tags come out in full.</summary>
    /// <param name="index">Number of the job.</param>
    /// <param name="message">First byte.</param>
    /// <param name="length">Bytes, at least 1.</param>
    /// <param name="inner">SHA-256's eight words after the inner key block.</param>
    /// <param name="outer">The same of the outer key block.</param>
    public void Set(int index, byte* message, int length, byte* inner, byte* outer)
    {
        byte* job = _jobs + (index * LibIpsecMb.JobSize);
        *(byte**)(job + LibIpsecMb.JobSource) = message;
        *(ulong*)(job + LibIpsecMb.JobHashOffset) = 0;
        *(ulong*)(job + LibIpsecMb.JobHashLength) = (ulong)length;
        *(byte**)(job + LibIpsecMb.JobTag) = _tags + (index * TagRoom);
        *(ulong*)(job + LibIpsecMb.JobTagLength) = TagRoom;
        *(byte**)(job + LibIpsecMb.JobInner) = inner;
        *(byte**)(job + LibIpsecMb.JobOuter) = outer;
    }

    /// <summary>Does the first jobs, all or none.</summary>
    public bool Run(int count)
    {
        VectorRegisters.ClearUpperHalves(_tags);
        return LibIpsecMb.HashBurst((byte*)handle, _jobs, (uint)count, LibIpsecMb.IMB_AUTH_HMAC_SHA_256) == (uint)count;
    }

    /// <summary>The tag that a job made; borrowed until the next run.</summary>
    public ReadOnlySpan<byte> Tag(int index) => new(_tags + (index * TagRoom), TagRoom);

    /// <inheritdoc/>
    protected override bool ReleaseHandle()
    {
        LibIpsecMb.FreeManager((byte*)handle);
        NativeMemory.AlignedFree(_jobs);
        return true;
    }
}
