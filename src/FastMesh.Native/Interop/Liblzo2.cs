using System.Runtime.InteropServices;

namespace FastMesh.Native.Interop;

/// <summary>LZO. Functions return 0 for success.</summary>
internal static unsafe partial class Liblzo2
{
    internal const string Library = "liblzo2.so.2";

    internal const int LZO_E_OK = 0;
    internal const int LZO1X_1_MEM_COMPRESS = 16384 * 8, LZO1X_999_MEM_COMPRESS = 14 * 16384 * 2;

    [LibraryImport(Library)]
    internal static partial int lzo1x_1_compress(byte* source, nuint length, byte* destination, nuint* written, void* workMemory);

    [LibraryImport(Library)]
    internal static partial int lzo1x_999_compress(byte* source, nuint length, byte* destination, nuint* written, void* workMemory);

    [LibraryImport(Library)]
    internal static partial int lzo1x_decompress_safe(byte* source, nuint length, byte* destination, nuint* written, void* workMemory);
}
