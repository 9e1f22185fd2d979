using System.Text;

namespace FastMesh.Native.Linux;

/// <summary>Text for fixed-size C fields.</summary>
internal static class CString
{
    /// <summary>Writes as many whole characters as fit, in UTF-8, and zeroes the rest, at least one byte.</summary>
    internal static void WriteTruncated(string text, Span<byte> field)
    {
        Encoding.UTF8.GetEncoder().Convert(text, field[..^1], flush: true, out _, out int used, out _);
        field[used..].Clear();
    }
}
