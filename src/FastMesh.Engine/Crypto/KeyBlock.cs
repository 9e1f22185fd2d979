using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Crypto;

/// <summary>
/// Keys in text: <c>-----BEGIN LABEL-----</c>, lines of tinc's base64 that are decoded one by one, <c>-----END LABEL-----</c> (tinc 1.1 reference, 2.2).
/// Everything around the block is skipped, so commented-out keys and whole host files are fine.
/// </summary>
internal static class KeyBlock
{
    private const int BytesPerLine = 48;
    private const string Begin = "-----BEGIN ", End = "-----END", Rest = "-----";

    /// <summary>Reads the first block of that label. False with a reason if there is none or it does not hold exactly that many bytes.</summary>
    public static bool TryRead(ReadOnlySpan<char> text, string label, Span<byte> bytes, out string reason)
    {
        bool inside = false;
        int length = 0;
        foreach (ReadOnlySpan<char> untrimmed in text.EnumerateLines())
        {
            ReadOnlySpan<char> line = untrimmed.TrimEnd();
            if (!inside)
            {
                inside = line.StartsWith(Begin, StringComparison.Ordinal) && line[Begin.Length..].StartsWith(label, StringComparison.Ordinal);
                continue;
            }

            if (line.StartsWith(End, StringComparison.Ordinal))
            {
                reason = length == bytes.Length ? "" : $"the block {label} holds {length} bytes instead of {bytes.Length}";
                return reason.Length == 0;
            }

            if (!TincBase64.TryDecode(line, out byte[] part))
            {
                reason = $"the block {label} has a line that is not base64";
                return false;
            }

            if (part.Length <= bytes.Length - length)
                part.CopyTo(bytes[length..]);
            length += part.Length;
            Array.Clear(part);
        }

        reason = inside ? $"the block {label} has no end" : $"it holds no block {label}";
        return false;
    }

    /// <summary>Writes a block with a final newline.</summary>
    public static string Write(string label, ReadOnlySpan<byte> bytes)
    {
        var text = new System.Text.StringBuilder();
        text.Append(Begin).Append(label).Append(Rest).Append('\n');
        for (; !bytes.IsEmpty; bytes = bytes[Math.Min(BytesPerLine, bytes.Length)..])
            text.Append(TincBase64.Encode(bytes[..Math.Min(BytesPerLine, bytes.Length)])).Append('\n');
        return text.Append(End).Append(' ').Append(label).Append(Rest).Append('\n').ToString();
    }
}
