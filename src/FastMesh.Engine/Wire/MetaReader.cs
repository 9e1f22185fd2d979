using System.Text;

namespace FastMesh.Engine.Wire;

/// <summary>
/// Reads the fields of one request line, by the rules of scanf that tinc's grammar rests on: any run of white space separates
/// fields, a trailing CR is white space, fields nobody asks for are ignored (tinc 1.0 reference, 4.2). Borrows the line; never
/// reads past its end and never throws.
/// </summary>
public ref struct MetaReader
{
    /// <summary>Longest string field; a longer one is cut there and the rest is the next field.</summary>
    public const int MaxFieldLength = 2048;

    private ReadOnlySpan<byte> _rest;

    /// <summary>Starts at the request number.</summary>
    /// <param name="line">The line without LF.</param>
    public MetaReader(ReadOnlySpan<byte> line) => Line = _rest = line;

    /// <summary>The whole line, for forwarding it unchanged.</summary>
    public ReadOnlySpan<byte> Line { get; }

    /// <summary>Reads a string field (<c>%s</c>).</summary>
    public bool TryText(out string text)
    {
        bool found = TryField(out ReadOnlySpan<byte> field);
        text = Encoding.Latin1.GetString(field);
        return found;
    }

    /// <summary>Reads a string field that must be a legal node name.</summary>
    public bool TryName(out string name) => TryText(out name) && NodeName.IsValid(name);

    /// <summary>Reads a signed decimal number (<c>%d</c>); digits beyond 32 bits wrap.</summary>
    public bool TryInt(out int value)
    {
        SkipBlanks();
        bool negative = TakeSign();
        int count = 0;
        long sum = 0;
        while (count < _rest.Length && _rest[count] is >= (byte)'0' and <= (byte)'9')
            sum = unchecked((sum * 10) + (_rest[count++] - '0'));

        value = unchecked((int)(negative ? -sum : sum));
        _rest = _rest[count..];
        return count > 0;
    }

    /// <summary>Reads a hexadecimal number (<c>%x</c>), either case, with or without <c>0x</c>; digits beyond 32 bits wrap.</summary>
    public bool TryHex(out uint value)
    {
        SkipBlanks();
        bool negative = TakeSign();
        if (_rest.Length > 2 && _rest[0] == '0' && (_rest[1] | 0x20) == 'x' && char.IsAsciiHexDigit((char)_rest[2]))
            _rest = _rest[2..];

        int count = 0;
        value = 0;
        while (count < _rest.Length && char.IsAsciiHexDigit((char)_rest[count]))
            value = unchecked((value << 4) | (uint)HexValue(_rest[count++]));

        if (negative)
            value = unchecked(0 - value);
        _rest = _rest[count..];
        return count > 0;
    }

    private bool TryField(out ReadOnlySpan<byte> field)
    {
        SkipBlanks();
        int length = 0;
        while (length < _rest.Length && length < MaxFieldLength && !IsBlank(_rest[length]))
            length++;
        field = _rest[..length];
        _rest = _rest[length..];
        return length > 0;
    }

    private bool TakeSign()
    {
        if (_rest.IsEmpty || (_rest[0] != '-' && _rest[0] != '+'))
            return false;
        bool negative = _rest[0] == '-';
        _rest = _rest[1..];
        return negative;
    }

    private void SkipBlanks()
    {
        int count = 0;
        while (count < _rest.Length && IsBlank(_rest[count]))
            count++;
        _rest = _rest[count..];
    }

    private static bool IsBlank(byte c) => c is (byte)' ' or (>= 9 and <= 13);

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
