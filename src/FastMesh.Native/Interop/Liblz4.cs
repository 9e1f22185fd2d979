using System.Runtime.InteropServices;

namespace FastMesh.Native.Interop;

/// <summary>LZ4's raw block format.</summary>
internal static unsafe partial class Liblz4
{
    internal const string Library = "liblz4.so.1";

    [LibraryImport(Library)]
    internal static partial int LZ4_compress_default(byte* source, byte* destination, int length, int room);

    [LibraryImport(Library)]
    internal static partial int LZ4_decompress_safe(byte* source, byte* destination, int length, int room);
}
