using System.Runtime.InteropServices;

namespace FastMesh.Fuzz;

/// <summary>
/// Memory that ends (and begins) at an unreadable page, so that a read or write one byte outside crashes the process at once
/// instead of passing unseen. Owned by whoever made it.
/// </summary>
internal sealed unsafe partial class GuardedMemory : IDisposable
{
    private const int ReadWrite = 3, Private = 2, Anonymous = 0x20;

    private readonly nuint _page = (nuint)Environment.SystemPageSize;
    private readonly nuint _size;
    private readonly byte* _block;

    public GuardedMemory(int capacity)
    {
        _size = ((nuint)capacity + _page - 1) / _page * _page;
        _block = mmap(null, _size + (2 * _page), ReadWrite, Private | Anonymous, -1, 0);
        if (_block == (byte*)-1 || mprotect(_block, _page, 0) != 0 || mprotect(_block + _page + _size, _page, 0) != 0)
            throw new InvalidOperationException("no guarded memory");
    }

    /// <summary>The last <paramref name="length"/> bytes before the guard page behind; borrowed until the next call.</summary>
    public Span<byte> AtEnd(int length) => new(_block + _page + _size - length, length);

    public void Dispose() => _ = munmap(_block, _size + (2 * _page));

    [LibraryImport("libc")]
    private static partial byte* mmap(void* address, nuint length, int protection, int flags, int fd, nint offset);

    [LibraryImport("libc")]
    private static partial int mprotect(void* address, nuint length, int protection);

    [LibraryImport("libc")]
    private static partial int munmap(void* address, nuint length);
}
