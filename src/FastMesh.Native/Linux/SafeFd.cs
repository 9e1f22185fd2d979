using System.Runtime.InteropServices;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Linux;

/// <summary>Owner of one file descriptor. The loop that owns it works with the plain <see cref="Descriptor"/>.</summary>
public sealed class SafeFd : SafeHandle
{
    /// <summary>Takes ownership of an open descriptor.</summary>
    public SafeFd(int descriptor)
        : base(-1, ownsHandle: true) => SetHandle(descriptor);

    /// <summary>The descriptor; valid until this object is disposed.</summary>
    public int Descriptor => (int)handle;

    /// <inheritdoc/>
    public override bool IsInvalid => handle < 0;

    /// <inheritdoc/>
    protected override bool ReleaseHandle() => Libc.close((int)handle) == 0;
}
