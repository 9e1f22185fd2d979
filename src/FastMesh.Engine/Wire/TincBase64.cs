using System.Buffers;

namespace FastMesh.Engine.Wire;

/// <summary>
/// tinc's own base64: the alphabet of RFC 4648 without padding, but bits are taken least significant first (tinc 1.1 reference, 2.1).
/// Decoding takes the URL alphabet too.
/// </summary>
public static class TincBase64
{
    private const int Group = 3, GroupCharacters = 4; // bytes and characters that stand for each other
    private const int StackLimit = 4096;

    private static readonly SearchValues<char> s_alphabets = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/-_");

    /// <summary>Characters that <paramref name="bytes"/> bytes become.</summary>
    public static int EncodedLength(int bytes) => ((bytes * 8) + 5) / 6;

    /// <summary>Bytes that <paramref name="characters"/> characters hold.</summary>
    public static int DecodedLength(int characters) => (characters / 4 * 3) + (int)(characters % 4 * 0.75);

    /// <summary>Encodes.</summary>
    /// <param name="bytes">Any number of bytes.</param>
    /// <param name="url">Whether <c>-</c> and <c>_</c> stand for <c>+</c> and <c>/</c>.</param>
    public static string Encode(ReadOnlySpan<byte> bytes, bool url = false)
    {
        // Least significant first is most significant first of everything in reverse, which the base library does many bytes at a time.
        int length = RoundUp(bytes.Length, Group), characters = length / Group * GroupCharacters;
        Span<byte> reversed = length <= StackLimit ? stackalloc byte[length] : new byte[length];
        Span<char> text = characters <= StackLimit ? stackalloc char[characters] : new char[characters];
        bytes.CopyTo(reversed);
        reversed[bytes.Length..].Clear();
        reversed.Reverse();
        Convert.TryToBase64Chars(reversed, text, out _);
        text.Reverse();
        text = text[..EncodedLength(bytes.Length)];
        if (url)
        {
            text.Replace('+', '-');
            text.Replace('/', '_');
        }

        return new string(text);
    }

    /// <summary>Decodes; false if there is a character of neither alphabet. A single character left over is ignored.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, out byte[] bytes)
    {
        bytes = [];
        if (text.ContainsAnyExcept(s_alphabets))
            return false;
        int characters = RoundUp(text.Length, GroupCharacters), length = characters / GroupCharacters * Group;
        Span<char> reversed = characters <= StackLimit ? stackalloc char[characters] : new char[characters];
        Span<byte> decoded = length <= StackLimit ? stackalloc byte[length] : new byte[length];
        text.CopyTo(reversed);
        reversed[text.Length..].Fill('A'); // stands for zero
        reversed.Replace('-', '+');
        reversed.Replace('_', '/');
        reversed.Reverse();
        Convert.TryFromBase64Chars(reversed, decoded, out _);
        decoded.Reverse();
        bytes = decoded[..DecodedLength(text.Length)].ToArray();
        return true;
    }

    private static int RoundUp(int value, int unit) => (value + unit - 1) / unit * unit;
}
