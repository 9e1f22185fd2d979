using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FastMesh.Native.Crypto;

// Sixteen blocks at a time, by AVX-512.
internal static unsafe partial class ChaCha20
{
    private static void Generate16(uint* key, uint* nonce, uint counter, byte* stream)
    {
        Vector512<uint> x0 = Vector512.Create(Constant0), x1 = Vector512.Create(Constant1), x2 = Vector512.Create(Constant2), x3 = Vector512.Create(Constant3);
        Vector512<uint> x4 = Vector512.Create(key[0]), x5 = Vector512.Create(key[1]), x6 = Vector512.Create(key[2]), x7 = Vector512.Create(key[3]);
        Vector512<uint> x8 = Vector512.Create(key[4]), x9 = Vector512.Create(key[5]), x10 = Vector512.Create(key[6]), x11 = Vector512.Create(key[7]);
        Vector512<uint> counters = Vector512.Create(counter) + Vector512<uint>.Indices;
        Vector512<uint> x12 = counters, x13 = Vector512.Create(nonce[0]), x14 = Vector512.Create(nonce[1]), x15 = Vector512.Create(nonce[2]);
        for (int round = 0; round < Rounds; round += 2)
        {
            (x0, x1, x2, x3) = (x0 + x4, x1 + x5, x2 + x6, x3 + x7);
            (x12, x13, x14, x15) = (Rotate16(x12 ^ x0), Rotate16(x13 ^ x1), Rotate16(x14 ^ x2), Rotate16(x15 ^ x3));
            (x8, x9, x10, x11) = (x8 + x12, x9 + x13, x10 + x14, x11 + x15);
            (x4, x5, x6, x7) = (Rotate12(x4 ^ x8), Rotate12(x5 ^ x9), Rotate12(x6 ^ x10), Rotate12(x7 ^ x11));
            (x0, x1, x2, x3) = (x0 + x4, x1 + x5, x2 + x6, x3 + x7);
            (x12, x13, x14, x15) = (Rotate8(x12 ^ x0), Rotate8(x13 ^ x1), Rotate8(x14 ^ x2), Rotate8(x15 ^ x3));
            (x8, x9, x10, x11) = (x8 + x12, x9 + x13, x10 + x14, x11 + x15);
            (x4, x5, x6, x7) = (Rotate7(x4 ^ x8), Rotate7(x5 ^ x9), Rotate7(x6 ^ x10), Rotate7(x7 ^ x11));
            (x0, x1, x2, x3) = (x0 + x5, x1 + x6, x2 + x7, x3 + x4);
            (x15, x12, x13, x14) = (Rotate16(x15 ^ x0), Rotate16(x12 ^ x1), Rotate16(x13 ^ x2), Rotate16(x14 ^ x3));
            (x10, x11, x8, x9) = (x10 + x15, x11 + x12, x8 + x13, x9 + x14);
            (x5, x6, x7, x4) = (Rotate12(x5 ^ x10), Rotate12(x6 ^ x11), Rotate12(x7 ^ x8), Rotate12(x4 ^ x9));
            (x0, x1, x2, x3) = (x0 + x5, x1 + x6, x2 + x7, x3 + x4);
            (x15, x12, x13, x14) = (Rotate8(x15 ^ x0), Rotate8(x12 ^ x1), Rotate8(x13 ^ x2), Rotate8(x14 ^ x3));
            (x10, x11, x8, x9) = (x10 + x15, x11 + x12, x8 + x13, x9 + x14);
            (x5, x6, x7, x4) = (Rotate7(x5 ^ x10), Rotate7(x6 ^ x11), Rotate7(x7 ^ x8), Rotate7(x4 ^ x9));
        }

        (x0, x1, x2, x3) = (x0 + Vector512.Create(Constant0), x1 + Vector512.Create(Constant1), x2 + Vector512.Create(Constant2), x3 + Vector512.Create(Constant3));
        (x4, x5, x6, x7) = (x4 + Vector512.Create(key[0]), x5 + Vector512.Create(key[1]), x6 + Vector512.Create(key[2]), x7 + Vector512.Create(key[3]));
        (x8, x9, x10, x11) = (x8 + Vector512.Create(key[4]), x9 + Vector512.Create(key[5]), x10 + Vector512.Create(key[6]), x11 + Vector512.Create(key[7]));
        (x12, x13, x14, x15) = (x12 + counters, x13 + Vector512.Create(nonce[0]), x14 + Vector512.Create(nonce[1]), x15 + Vector512.Create(nonce[2]));
        Transpose(ref x0, ref x1, ref x2, ref x3);
        Transpose(ref x4, ref x5, ref x6, ref x7);
        Transpose(ref x8, ref x9, ref x10, ref x11);
        Transpose(ref x12, ref x13, ref x14, ref x15);
        Store(x0, x4, x8, x12, stream);
        Store(x1, x5, x9, x13, stream + Block);
        Store(x2, x6, x10, x14, stream + (2 * Block));
        Store(x3, x7, x11, x15, stream + (3 * Block));
    }

    /// <summary>Four words of sixteen blocks become four blocks' four words: blocks 0, 4, 8, 12 in the first register, 1, 5, 9, 13 in the second and so on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(ref Vector512<uint> a, ref Vector512<uint> b, ref Vector512<uint> c, ref Vector512<uint> d)
    {
        Vector512<ulong> low0 = Avx512F.UnpackLow(a, b).AsUInt64(), low1 = Avx512F.UnpackHigh(a, b).AsUInt64();
        Vector512<ulong> high0 = Avx512F.UnpackLow(c, d).AsUInt64(), high1 = Avx512F.UnpackHigh(c, d).AsUInt64();
        (a, b) = (Avx512F.UnpackLow(low0, high0).AsUInt32(), Avx512F.UnpackHigh(low0, high0).AsUInt32());
        (c, d) = (Avx512F.UnpackLow(low1, high1).AsUInt32(), Avx512F.UnpackHigh(low1, high1).AsUInt32());
    }

    /// <summary>Stores every fourth block, given its words by fours.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector512<uint> a, Vector512<uint> b, Vector512<uint> c, Vector512<uint> d, byte* to)
    {
        Vector512<uint> ab0 = Avx512F.Shuffle4x128(a, b, 0x44), ab1 = Avx512F.Shuffle4x128(a, b, 0xEE);
        Vector512<uint> cd0 = Avx512F.Shuffle4x128(c, d, 0x44), cd1 = Avx512F.Shuffle4x128(c, d, 0xEE);
        Avx512F.Shuffle4x128(ab0, cd0, 0x88).Store((uint*)to);
        Avx512F.Shuffle4x128(ab0, cd0, 0xDD).Store((uint*)(to + (4 * Block)));
        Avx512F.Shuffle4x128(ab1, cd1, 0x88).Store((uint*)(to + (8 * Block)));
        Avx512F.Shuffle4x128(ab1, cd1, 0xDD).Store((uint*)(to + (12 * Block)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Rotate16(Vector512<uint> x) => Avx512F.RotateLeft(x, 16);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Rotate12(Vector512<uint> x) => Avx512F.RotateLeft(x, 12);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Rotate8(Vector512<uint> x) => Avx512F.RotateLeft(x, 8);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector512<uint> Rotate7(Vector512<uint> x) => Avx512F.RotateLeft(x, 7);
}
