namespace FastMesh.Engine.Wire;

/// <summary>
/// tinc's own base64: the alphabet of RFC 4648 without padding, but bits are taken least significant first (tinc 1.1 reference, 2.1).
/// Decoding takes the URL alphabet too.
/// </summary>
public static class TincBase64
{
    private const string Standard = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    private const string Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

    /// <summary>Characters that <paramref name="bytes"/> bytes become.</summary>
    public static int EncodedLength(int bytes) => ((bytes * 8) + 5) / 6;

    /// <summary>Bytes that <paramref name="characters"/> characters hold.</summary>
    public static int DecodedLength(int characters) => (characters / 4 * 3) + (int)(characters % 4 * 0.75);

    /// <summary>Encodes.</summary>
    /// <param name="bytes">Any number of bytes.</param>
    /// <param name="url">Whether <c>-</c> and <c>_</c> stand for <c>+</c> and <c>/</c>.</param>
    public static string Encode(ReadOnlySpan<byte> bytes, bool url = false)
    {
        string alphabet = url ? Url : Standard;
        var text = new char[EncodedLength(bytes.Length)];
        for (int i = 0; i < text.Length; i++)
        {
            int bit = i * 6, at = bit / 8;
            int pair = bytes[at] | (at + 1 < bytes.Length ? bytes[at + 1] << 8 : 0);
            text[i] = alphabet[pair >> (bit % 8) & 63];
        }

        return new string(text);
    }

    /// <summary>Decodes; false if there is a character of neither alphabet. A single character left over is ignored.</summary>
    public static bool TryDecode(ReadOnlySpan<char> text, out byte[] bytes)
    {
        bytes = new byte[DecodedLength(text.Length)];
        for (int i = 0; i < text.Length; i++)
        {
            int value = ValueOf(text[i]);
            if (value < 0)
            {
                bytes = [];
                return false;
            }

            int bit = i * 6, at = bit / 8, shifted = value << (bit % 8);
            if (at < bytes.Length)
                bytes[at] |= (byte)shifted;
            if (at + 1 < bytes.Length)
                bytes[at + 1] |= (byte)(shifted >> 8);
        }

        return true;
    }

    private static int ValueOf(char character) => character switch
    {
        >= 'A' and <= 'Z' => character - 'A',
        >= 'a' and <= 'z' => character - 'a' + 26,
        >= '0' and <= '9' => character - '0' + 52,
        '+' or '-' => 62,
        '/' or '_' => 63,
        _ => -1,
    };
}
