using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace FastMesh.Engine.Wire;

/// <summary>
/// The Internet checksum (RFC 1071). Partial sums are unfolded sums of 16-bit words in memory order, so they can be added in any
/// order and never need a byte swap; only the last piece of a message may have an odd length.
/// </summary>
public static class Checksum
{
    /// <summary>The partial sum of <paramref name="bytes"/>; less than 2^48 for anything below 64 KiB.</summary>
    public static ulong Sum(ReadOnlySpan<byte> bytes)
    {
        ref byte start = ref MemoryMarshal.GetReference(bytes);
        int offset = 0;
        ulong sum = 0;
        if (Vector256.IsHardwareAccelerated && bytes.Length >= Vector256<byte>.Count)
            sum = SumVectors256(ref start, bytes.Length, out offset);
        else if (Vector128.IsHardwareAccelerated && bytes.Length >= Vector128<byte>.Count)
            sum = SumVectors128(ref start, bytes.Length, out offset);
        return sum + SumScalar(bytes[offset..]);
    }

    /// <summary>The same as <see cref="Sum"/>, eight bytes at a time.</summary>
    internal static ulong SumScalar(ReadOnlySpan<byte> bytes)
    {
        ulong sum = 0;
        for (; bytes.Length >= sizeof(ulong); bytes = bytes[sizeof(ulong)..])
            sum += Halves(MemoryMarshal.Read<ulong>(bytes));
        if (bytes.IsEmpty)
            return sum;

        ulong tail = 0;
        bytes.CopyTo(MemoryMarshal.AsBytes(new Span<ulong>(ref tail)));
        return sum + Halves(tail);
    }

    // The vectors below read within [start, start + length): each loop ends before a load would pass the end.
    private static ulong SumVectors256(ref byte start, int length, out int offset)
    {
        Vector256<ulong> low = Vector256<ulong>.Zero, high = Vector256<ulong>.Zero;
        Vector256<ulong> mask = Vector256.Create((ulong)uint.MaxValue);
        for (offset = 0; offset <= length - Vector256<byte>.Count; offset += Vector256<byte>.Count)
        {
            Vector256<ulong> words = Vector256.LoadUnsafe(ref start, (nuint)offset).AsUInt64();
            low += words & mask;
            high += words >>> 32;
        }

        return Vector256.Sum(low + high);
    }

    private static ulong SumVectors128(ref byte start, int length, out int offset)
    {
        Vector128<ulong> low = Vector128<ulong>.Zero, high = Vector128<ulong>.Zero;
        Vector128<ulong> mask = Vector128.Create((ulong)uint.MaxValue);
        for (offset = 0; offset <= length - Vector128<byte>.Count; offset += Vector128<byte>.Count)
        {
            Vector128<ulong> words = Vector128.LoadUnsafe(ref start, (nuint)offset).AsUInt64();
            low += words & mask;
            high += words >>> 32;
        }

        return Vector128.Sum(low + high);
    }

    private static ulong Halves(ulong value) => (uint)value + (value >> 32);

    /// <summary>A 16-bit number of a header, in host order, as a term of a partial sum.</summary>
    public static ulong Word(ushort value) => BitConverter.IsLittleEndian ? BinaryPrimitives.ReverseEndianness(value) : value;

    /// <summary>
    /// The partial sum of a TCP, UDP or ICMPv6 pseudo header (RFC 9293, RFC 768, RFC 8200).
    /// </summary>
    /// <param name="addresses">Source and destination as they stand behind each other in the header: 8 or 32 bytes.</param>
    /// <param name="protocol">Protocol number.</param>
    /// <param name="length">Bytes of transport header and payload, at most 65535.</param>
    public static ulong PseudoHeader(ReadOnlySpan<byte> addresses, byte protocol, int length) =>
        Sum(addresses) + Word(protocol) + Word((ushort)length);

    /// <summary>The 16-bit one's complement sum in memory order, not complemented.</summary>
    public static ushort Fold(ulong sum)
    {
        sum = Halves(sum);
        sum = Halves(sum);
        sum = (sum & 0xffff) + (sum >> 16);
        sum = (sum & 0xffff) + (sum >> 16);
        return (ushort)((sum & 0xffff) + (sum >> 16));
    }

    /// <summary>Whether the sum over a message, its checksum field and pseudo header included, proves it intact.</summary>
    public static bool IsValid(ulong sum) => Fold(sum) == 0xffff;

    /// <summary>Writes the checksum: the complement of <paramref name="sum"/>.</summary>
    public static void Write(Span<byte> field, ulong sum) => WriteRaw(field, (ushort)~Fold(sum));

    /// <summary>Writes a UDP checksum, in which zero would mean "none" (RFC 768).</summary>
    public static void WriteUdp(Span<byte> field, ulong sum)
    {
        ushort value = (ushort)~Fold(sum);
        WriteRaw(field, value == 0 ? (ushort)0xffff : value);
    }

    /// <summary>Writes the sum itself, as the kernel wants it in packets marked NEEDS_CSUM.</summary>
    public static void WriteSeed(Span<byte> field, ulong sum) => WriteRaw(field, Fold(sum));

    /// <summary>Corrects a checksum after one 16-bit number in the message changed (RFC 1624, equation 3).</summary>
    public static void Adjust(Span<byte> field, ushort before, ushort after)
    {
        ulong old = (ushort)~MemoryMarshal.Read<ushort>(field);
        Write(field, old + (ushort)~Word(before) + Word(after));
    }

    private static void WriteRaw(Span<byte> field, ushort value) => Unsafe.WriteUnaligned(ref field[..2][0], value);
}
