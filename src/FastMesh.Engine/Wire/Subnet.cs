using System.Globalization;

namespace FastMesh.Engine.Wire;

/// <summary>The kinds of subnet, in their global order (tinc 1.0 reference, 6.2).</summary>
public enum SubnetKind
{
    /// <summary>One Ethernet address.</summary>
    Mac,

    /// <summary>An IPv4 prefix.</summary>
    IPv4,

    /// <summary>An IPv6 prefix.</summary>
    IPv6,
}

/// <summary>
/// A subnet with its weight: <c>ADDRESS[/PREFIX][#WEIGHT]</c> (tinc 1.0 reference, 6.1). A value; its owner is known by the
/// table that holds it. Addresses are numbers whose most significant byte is the first on the wire; the address may have host
/// bits set when it came from the network.
/// </summary>
public readonly record struct Subnet(SubnetKind Kind, UInt128 Address, int PrefixLength, int Weight) : IComparable<Subnet>
{
    /// <summary>The weight of a subnet that names none. Lower is preferred.</summary>
    public const int DefaultWeight = 10;

    private const int MaxTextLength = 1023;

    /// <summary>A learned or configured Ethernet address.</summary>
    public static Subnet FromMac(MacAddress mac, int weight = DefaultWeight) => new(SubnetKind.Mac, mac.Value, 48, weight);

    /// <summary>Address bits of this kind: 48, 32 or 128.</summary>
    public int AddressBits => Bits(Kind);

    /// <summary>Whether every bit after the prefix is zero, which configuration files must obey.</summary>
    public bool HostBitsAreZero => (Address & HostMask) == 0;

    /// <summary>Whether <paramref name="address"/>, of the same kind, lies in this subnet.</summary>
    public bool Contains(UInt128 address) => ((address ^ Address) & ~HostMask & Ones(AddressBits)) == 0;

    /// <summary>The first and the last address in it.</summary>
    internal (UInt128 First, UInt128 Last) Range => (Address & ~HostMask, Address | HostMask);

    private UInt128 HostMask => Ones(AddressBits - PrefixLength);

    private static UInt128 Ones(int count) => count >= 128 ? UInt128.MaxValue : (UInt128.One << count) - 1;

    private static int Bits(SubnetKind kind) => kind switch { SubnetKind.Mac => 48, SubnetKind.IPv4 => 32, _ => 128 };

    /// <summary>Kind, longer prefix first, address, weight: the global order without the owner (tinc 1.0 reference, 6.2).</summary>
    public int CompareTo(Subnet other)
    {
        int order = Kind.CompareTo(other.Kind);
        if (order == 0)
            order = other.PrefixLength.CompareTo(PrefixLength);
        if (order == 0)
            order = Address.CompareTo(other.Address);
        return order == 0 ? Weight.CompareTo(other.Weight) : order;
    }

    /// <summary>The text tinc 1.0 emits: always with prefix (but for MAC) and weight.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{NetworkText}#{Weight}");

    /// <summary>The text without weight, as scripts see it in SUBNET: <c>10.1.0.0/16</c>, <c>0:1a:2:3:4:5</c>.</summary>
    public string NetworkText
    {
        get
        {
            if (Kind == SubnetKind.Mac)
                return new MacAddress((ulong)Address).ToString();

            var text = new System.Text.StringBuilder(48);
            int groups = Kind == SubnetKind.IPv4 ? 4 : 8, width = AddressBits / groups;
            for (int i = groups - 1; i >= 0; i--)
            {
                uint group = (uint)(Address >> (i * width)) & ((1u << width) - 1);
                text.Append(group.ToString(Kind == SubnetKind.IPv4 ? "D" : "x", CultureInfo.InvariantCulture));
                if (i > 0)
                    text.Append(Kind == SubnetKind.IPv4 ? '.' : ':');
            }

            return text.Append(CultureInfo.InvariantCulture, $"/{PrefixLength}").ToString();
        }
    }

    /// <summary>
    /// The text tinc 1.1 emits: the prefix is left out if it covers the whole address and the weight if it is the default, IPv6 addresses are
    /// shortened but never dotted, MAC addresses have two digits per byte (runs of tinc 1.1pre18).
    /// </summary>
    public string ShortText
    {
        get
        {
            string text = Kind switch
            {
                SubnetKind.Mac => string.Join(':', Enumerable.Range(0, 6).Select(ShortGroup)),
                SubnetKind.IPv4 => NetworkText[..NetworkText.IndexOf('/', StringComparison.Ordinal)],
                _ => ShortIPv6(),
            };
            string prefix = PrefixLength == AddressBits ? "" : string.Create(CultureInfo.InvariantCulture, $"/{PrefixLength}");
            return Weight == DefaultWeight ? text + prefix : string.Create(CultureInfo.InvariantCulture, $"{text}{prefix}#{Weight}");
        }
    }

    /// <summary>The first of the longest runs of two or more zero groups becomes "::".</summary>
    private string ShortIPv6()
    {
        (int start, int length) = (8, 1);
        for (int i = 0, run = 0; i < 8; i++)
        {
            run = Group(i) == 0 ? run + 1 : 0;
            if (run > length)
                (start, length) = (i + 1 - run, run);
        }

        if (start == 8)
            return string.Join(':', Enumerable.Range(0, 8).Select(ShortGroup));
        return string.Join(':', Enumerable.Range(0, start).Select(ShortGroup)) + "::"
            + string.Join(':', Enumerable.Range(start + length, 8 - start - length).Select(ShortGroup));
    }

    private string ShortGroup(int index) => Group(index).ToString(Kind == SubnetKind.Mac ? "x2" : "x", CultureInfo.InvariantCulture);

    /// <summary>A byte of a MAC address or two of an IPv6 address, counted from the left.</summary>
    private uint Group(int index) =>
        Kind == SubnetKind.Mac ? (uint)(Address >> (8 * (5 - index))) & 0xff : (uint)(Address >> (16 * (7 - index))) & 0xffff;

    /// <summary>
    /// Reads any spelling that tinc 1.0 or 1.1 writes. Numbers may have leading blanks, zeros and a plus sign, as tinc's own
    /// parser lets them pass. Host bits are not checked here.
    /// </summary>
    public static bool TryParse(ReadOnlySpan<char> text, out Subnet subnet)
    {
        subnet = default;
        if (text.Length > MaxTextLength)
            text = text[..MaxTextLength];

        int weight = DefaultWeight, prefix = -1;
        int mark = text.IndexOf('#');
        if (mark >= 0)
        {
            if (!TryReadInt(text[(mark + 1)..], out weight))
                return false;
            text = text[..mark];
        }

        mark = text.IndexOf('/');
        if (mark >= 0)
        {
            if (!TryReadInt(text[(mark + 1)..], out prefix) || prefix < 0)
                return false;
            text = text[..mark];
        }

        if (!TryReadAddress(text, out SubnetKind kind, out UInt128 address))
            return false;
        int bits = Bits(kind);
        if (prefix > bits || (kind == SubnetKind.Mac && mark >= 0))
            return false;

        subnet = new Subnet(kind, address, prefix < 0 ? bits : prefix, weight);
        return true;
    }

    private static bool TryReadAddress(ReadOnlySpan<char> text, out SubnetKind kind, out UInt128 address)
    {
        kind = SubnetKind.Mac;
        if (text.Count(':') == 5 && text.IndexOf("::") < 0 && TryReadGroups(text, ':', 6, 16, 0xff, out address))
            return true;
        kind = SubnetKind.IPv4;
        if (!text.Contains(':'))
            return TryReadGroups(text, '.', 4, 10, 0, out address);
        kind = SubnetKind.IPv6;
        return TryReadIPv6(text, out address);
    }

    /// <summary>Reads <paramref name="count"/> numbers; with a mask larger ones are cut to it, without they must fit a byte.</summary>
    private static bool TryReadGroups(ReadOnlySpan<char> text, char separator, int count, int radix, uint mask, out UInt128 address)
    {
        address = 0;
        foreach (Range part in text.Split(separator))
        {
            if (!TryReadNumber(text[part], radix, out uint group) || (mask == 0 && group > 255))
                return false;
            address = (address << 8) | (mask == 0 ? group : group & mask);
            count--;
        }

        return count == 0;
    }

    private static bool TryReadIPv6(ReadOnlySpan<char> text, out UInt128 address)
    {
        address = 0;
        UInt128 tail = 0;
        if (text.Contains('.'))
        {
            int start = text.LastIndexOf(':') + 1;
            if (!TryReadGroups(text[start..], '.', 4, 10, 0, out tail))
                return false;
            // The dotted tail stands for two groups; read the rest with zeros in its place.
            return TryReadIPv6(string.Concat(text[..start], "0:0"), out address) && Combine(ref address, tail);
        }

        int gap = text.IndexOf("::");
        if (gap < 0)
            return TryReadHexGroups(text, out address, out int all) && all == 8;

        if (!TryReadHexGroups(text[..gap], out UInt128 head, out int before)
            || !TryReadHexGroups(text[(gap + 2)..], out tail, out int after)
            || before + after > 7)
            return false;

        address = (before == 0 ? 0 : head << (16 * (8 - before))) | tail;
        return true;
    }

    private static bool Combine(ref UInt128 address, UInt128 tail)
    {
        address |= tail;
        return true;
    }

    private static bool TryReadHexGroups(ReadOnlySpan<char> text, out UInt128 value, out int count)
    {
        (value, count) = (0, 0);
        if (text.IsEmpty)
            return true;

        foreach (Range part in text.Split(':'))
        {
            if (++count > 8 || !TryReadNumber(text[part], 16, out uint group) || group > 0xffff)
                return false;
            value = (value << 16) | group;
        }

        return true;
    }

    private static bool TryReadNumber(ReadOnlySpan<char> text, int radix, out uint value)
    {
        text = text.TrimStart(" \t");
        if (text.StartsWith('+'))
            text = text[1..];
        NumberStyles style = radix == 16 ? NumberStyles.AllowHexSpecifier : NumberStyles.None;
        return uint.TryParse(text, style, CultureInfo.InvariantCulture, out value);
    }

    private static bool TryReadInt(ReadOnlySpan<char> text, out int value) =>
        int.TryParse(text.TrimStart(" \t"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out value);
}
