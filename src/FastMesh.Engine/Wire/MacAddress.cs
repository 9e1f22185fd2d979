using System.Buffers.Binary;
using System.Globalization;

namespace FastMesh.Engine.Wire;

/// <summary>An Ethernet address in the low 48 bits of a number, first byte highest.</summary>
/// <param name="Value">The address.</param>
public readonly record struct MacAddress(ulong Value)
{
    /// <summary>Bytes of an address.</summary>
    public const int Length = 6;

    /// <summary>Reads the first six bytes of <paramref name="bytes"/>.</summary>
    public static MacAddress Read(ReadOnlySpan<byte> bytes) =>
        new(((ulong)BinaryPrimitives.ReadUInt16BigEndian(bytes) << 32) | BinaryPrimitives.ReadUInt32BigEndian(bytes[2..]));

    /// <summary>Writes six bytes.</summary>
    public void Write(Span<byte> bytes)
    {
        BinaryPrimitives.WriteUInt16BigEndian(bytes, (ushort)(Value >> 32));
        BinaryPrimitives.WriteUInt32BigEndian(bytes[2..], (uint)Value);
    }

    /// <summary>tinc 1.0's form, without leading zeros: <c>0:1a:b:c:d:e</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture,
        $"{(byte)(Value >> 40):x}:{(byte)(Value >> 32):x}:{(byte)(Value >> 24):x}:{(byte)(Value >> 16):x}:{(byte)(Value >> 8):x}:{(byte)Value:x}");
}
