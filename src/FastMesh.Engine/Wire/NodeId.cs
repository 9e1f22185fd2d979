using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace FastMesh.Engine.Wire;

/// <summary>The six bytes that stand for a node in relayed datagrams (tinc 1.1 reference, 2.5). Zero stands for no node.</summary>
/// <param name="Value">The bytes as a big endian number.</param>
public readonly record struct NodeId(ulong Value)
{
    /// <summary>Bytes on the wire.</summary>
    public const int Length = 6;

    /// <summary>Whether this is the id that means "straight from the source to its destination".</summary>
    public bool IsZero => Value == 0;

    /// <summary>The id of a node: the first bytes of the SHA-512 of its name.</summary>
    public static NodeId Of(string name)
    {
        Span<byte> hash = stackalloc byte[SHA512.HashSizeInBytes];
        SHA512.HashData(Encoding.ASCII.GetBytes(name), hash);
        return Read(hash);
    }

    /// <summary>Reads the first <see cref="Length"/> bytes.</summary>
    public static NodeId Read(ReadOnlySpan<byte> bytes)
    {
        ulong value = 0;
        foreach (byte part in bytes[..Length])
            value = value << 8 | part;
        return new(value);
    }

    /// <summary>Writes <see cref="Length"/> bytes.</summary>
    public void Write(Span<byte> bytes)
    {
        for (int i = 0; i < Length; i++)
            bytes[i] = (byte)(Value >> (8 * (Length - 1 - i)));
    }

    /// <summary>Twelve lower-case hex digits.</summary>
    public override string ToString() => Value.ToString("x12", CultureInfo.InvariantCulture);
}
