using System.Text;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>scanf's rules, as the tinc 1.0 reference, 4.2, applies them.</summary>
public sealed class MetaReaderTests
{
    [Theory]
    [InlineData("17", 17, true)]
    [InlineData("  -5 x", -5, true)]
    [InlineData("+7.7", 7, true)]
    [InlineData("2147483648", int.MinValue, true)]
    [InlineData("-", 0, false)]
    [InlineData("", 0, false)]
    [InlineData("x1", 0, false)]
    public void Decimal_numbers(string text, int expected, bool ok)
    {
        var reader = new MetaReader(Encoding.Latin1.GetBytes(text));
        Assert.Equal(ok, reader.TryInt(out int value));
        Assert.Equal(expected, value);
    }

    [Theory]
    [InlineData("c", 0xcu, true)]
    [InlineData("0xDEADbeef", 0xdeadbeefu, true)]
    [InlineData("0Xf", 0xfu, true)]
    [InlineData("0x", 0u, true)]
    [InlineData("-1", 0xffffffffu, true)]
    [InlineData("123456789", 0x23456789u, true)]
    [InlineData("g", 0u, false)]
    [InlineData("", 0u, false)]
    public void Hexadecimal_numbers(string text, uint expected, bool ok)
    {
        var reader = new MetaReader(Encoding.Latin1.GetBytes(text));
        Assert.Equal(ok, reader.TryHex(out uint value));
        Assert.Equal(expected, value);
    }

    [Fact]
    public void Fields_are_separated_by_any_white_space_and_cut_at_2048_bytes()
    {
        string longField = new('a', 2050);
        var reader = new MetaReader(Encoding.Latin1.GetBytes($" one\t\v two\r\f{longField} b\xe9 \r"));
        List<string> fields = [];
        while (reader.TryText(out string field))
            fields.Add(field);
        Assert.Equal(["one", "two", new string('a', 2048), "aa", "b\u00e9"], fields);
    }

    [Theory]
    [InlineData("a_1", true)]
    [InlineData("a-1", false)]
    [InlineData("../b", false)]
    [InlineData("", false)]
    public void Names(string text, bool ok)
    {
        var reader = new MetaReader(Encoding.Latin1.GetBytes(text));
        Assert.Equal(ok, reader.TryName(out _));
    }
}
