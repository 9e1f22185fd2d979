using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace FastMesh.Native.Crypto;

// Eight blocks at a time, by AVX2.
internal static unsafe partial class ChaCha20
{
    private static readonly Vector256<byte> s_rotate16 = Vector256.Create(Vector128.Create(
        (byte)2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13));

    private static readonly Vector256<byte> s_rotate8 = Vector256.Create(Vector128.Create(
        (byte)3, 0, 1, 2, 7, 4, 5, 6, 11, 8, 9, 10, 15, 12, 13, 14));

    private static void Generate8(uint* key, uint* nonce, uint counter, byte* stream)
    {
        Vector256<uint> x0 = Vector256.Create(Constant0), x1 = Vector256.Create(Constant1), x2 = Vector256.Create(Constant2), x3 = Vector256.Create(Constant3);
        Vector256<uint> x4 = Vector256.Create(key[0]), x5 = Vector256.Create(key[1]), x6 = Vector256.Create(key[2]), x7 = Vector256.Create(key[3]);
        Vector256<uint> x8 = Vector256.Create(key[4]), x9 = Vector256.Create(key[5]), x10 = Vector256.Create(key[6]), x11 = Vector256.Create(key[7]);
        Vector256<uint> counters = Vector256.Create(counter) + Vector256<uint>.Indices;
        Vector256<uint> x12 = counters, x13 = Vector256.Create(nonce[0]), x14 = Vector256.Create(nonce[1]), x15 = Vector256.Create(nonce[2]);
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

        (x0, x1, x2, x3) = (x0 + Vector256.Create(Constant0), x1 + Vector256.Create(Constant1), x2 + Vector256.Create(Constant2), x3 + Vector256.Create(Constant3));
        (x4, x5, x6, x7) = (x4 + Vector256.Create(key[0]), x5 + Vector256.Create(key[1]), x6 + Vector256.Create(key[2]), x7 + Vector256.Create(key[3]));
        (x8, x9, x10, x11) = (x8 + Vector256.Create(key[4]), x9 + Vector256.Create(key[5]), x10 + Vector256.Create(key[6]), x11 + Vector256.Create(key[7]));
        (x12, x13, x14, x15) = (x12 + counters, x13 + Vector256.Create(nonce[0]), x14 + Vector256.Create(nonce[1]), x15 + Vector256.Create(nonce[2]));
        Transpose(ref x0, ref x1, ref x2, ref x3);
        Transpose(ref x4, ref x5, ref x6, ref x7);
        Transpose(ref x8, ref x9, ref x10, ref x11);
        Transpose(ref x12, ref x13, ref x14, ref x15);
        Store(x0, x4, x8, x12, stream);
        Store(x1, x5, x9, x13, stream + Block);
        Store(x2, x6, x10, x14, stream + (2 * Block));
        Store(x3, x7, x11, x15, stream + (3 * Block));
    }

    /// <summary>Four words of eight blocks become four words of blocks 0 and 4 in the first register, of 1 and 5 in the second and so on.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose(ref Vector256<uint> a, ref Vector256<uint> b, ref Vector256<uint> c, ref Vector256<uint> d)
    {
        Vector256<ulong> low0 = Avx2.UnpackLow(a, b).AsUInt64(), low1 = Avx2.UnpackHigh(a, b).AsUInt64();
        Vector256<ulong> high0 = Avx2.UnpackLow(c, d).AsUInt64(), high1 = Avx2.UnpackHigh(c, d).AsUInt64();
        (a, b) = (Avx2.UnpackLow(low0, high0).AsUInt32(), Avx2.UnpackHigh(low0, high0).AsUInt32());
        (c, d) = (Avx2.UnpackLow(low1, high1).AsUInt32(), Avx2.UnpackHigh(low1, high1).AsUInt32());
    }

    /// <summary>Stores every fourth block, given its words by fours.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store(Vector256<uint> a, Vector256<uint> b, Vector256<uint> c, Vector256<uint> d, byte* to)
    {
        Avx2.Permute2x128(a, b, 0x20).Store((uint*)to);
        Avx2.Permute2x128(c, d, 0x20).Store((uint*)(to + (Block / 2)));
        Avx2.Permute2x128(a, b, 0x31).Store((uint*)(to + (4 * Block)));
        Avx2.Permute2x128(c, d, 0x31).Store((uint*)(to + (4 * Block) + (Block / 2)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Rotate16(Vector256<uint> x) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.RotateLeft(x, 16) : Avx2.Shuffle(x.AsByte(), s_rotate16).AsUInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Rotate12(Vector256<uint> x) => Avx512F.VL.IsSupported ? Avx512F.VL.RotateLeft(x, 12) : (x << 12) | (x >>> 20);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Rotate8(Vector256<uint> x) =>
        Avx512F.VL.IsSupported ? Avx512F.VL.RotateLeft(x, 8) : Avx2.Shuffle(x.AsByte(), s_rotate8).AsUInt32();

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<uint> Rotate7(Vector256<uint> x) => Avx512F.VL.IsSupported ? Avx512F.VL.RotateLeft(x, 7) : (x << 7) | (x >>> 25);
}
