using System.Runtime.InteropServices;

namespace FastMesh.Native.Interop;

/// <summary>zlib.</summary>
internal static unsafe partial class Libz
{
    private const string Library = "libz.so.1";

    internal const int Z_FINISH = 4, Z_OK = 0, Z_STREAM_END = 1, Z_DEFLATED = 8, Z_DEFAULT_STRATEGY = 0;

    [StructLayout(LayoutKind.Sequential)]
    internal struct ZStream
    {
        internal byte* next_in;
        internal uint avail_in;
        internal ulong total_in;
        internal byte* next_out;
        internal uint avail_out;
        internal ulong total_out;
        internal byte* msg;
        internal void* state;
        internal void* zalloc;
        internal void* zfree;
        internal void* opaque;
        internal int data_type;
        internal ulong adler;
        internal ulong reserved;
    }

    [LibraryImport(Library)]
    internal static partial byte* zlibVersion();

    [LibraryImport(Library)]
    internal static partial int deflateInit2_(
        ZStream* stream, int level, int method, int windowBits, int memLevel, int strategy, byte* version, int streamSize);

    [LibraryImport(Library)]
    internal static partial int deflate(ZStream* stream, int flush);

    [LibraryImport(Library)]
    internal static partial int deflateReset(ZStream* stream);

    [LibraryImport(Library)]
    internal static partial int deflateEnd(ZStream* stream);

    [LibraryImport(Library)]
    internal static partial int inflateInit_(ZStream* stream, byte* version, int streamSize);

    [LibraryImport(Library)]
    internal static partial int inflate(ZStream* stream, int flush);

    [LibraryImport(Library)]
    internal static partial int inflateReset(ZStream* stream);

    [LibraryImport(Library)]
    internal static partial int inflateEnd(ZStream* stream);
}
