using FastMesh.Cli.Config;

namespace FastMesh.Cli.Tests.Config;

public class ConfigTreeTests
{
    [Fact]
    public void Values_are_ordered_by_command_line_then_line_then_file_name()
    {
        ConfigTree tree = new(
            [
                new("Port", "e", "/c/tinc.conf", 5),
                new("Port", "d", "/c/tinc.conf", 1),
                new("Port", "c", "/c/hosts/a", 1),
                new("PORT", "b", null, 2),
                new("port", "a", null, 1),
            ],
            new ConfigReport());
        Assert.Equal(["a", "b", "c", "d", "e"], tree.All("Port").Select(e => e.Value));
        Assert.Equal("a", tree.Text("pOrT"));
    }

    [Theory]
    [InlineData("yes", true)]
    [InlineData("YES", true)]
    [InlineData("no", false)]
    [InlineData("nO", false)]
    public void Booleans_are_yes_and_no_in_any_case(string text, bool expected)
        => Assert.Equal(expected, Tree("TCPOnly", text).Boolean("TCPOnly"));

    [Theory]
    [InlineData("true")]
    [InlineData("1")]
    [InlineData("yes # really")]
    public void Any_other_boolean_counts_as_not_set_and_is_reported(string text)
    {
        ConfigTree tree = Tree("TCPOnly", text);
        Assert.Null(tree.Boolean("TCPOnly"));
        Assert.StartsWith("\"yes\" or \"no\" expected for configuration variable TCPOnly in /c/tinc.conf line 3", Assert.Single(tree.Report.Warnings));
        Assert.Empty(tree.Report.Errors);
    }

    [Theory]
    [InlineData("5", 5)]
    [InlineData("5x", 5)]
    [InlineData("+5", 5)]
    [InlineData("-5", -5)]
    [InlineData("\v5", 5)]
    [InlineData("0x10", 0)]
    [InlineData("007", 7)]
    [InlineData("99999999999999999999999", int.MaxValue)]
    [InlineData("-99999999999999999999999", int.MinValue)]
    [InlineData("-2147483648", int.MinValue)]
    public void Numbers_are_scanned_as_C_does(string text, int expected)
        => Assert.Equal(expected, Tree("PingInterval", text).Integer("PingInterval"));

    [Theory]
    [InlineData("x")]
    [InlineData("-")]
    [InlineData("--5")]
    [InlineData("+ 5")]
    public void A_number_without_digits_counts_as_not_set_and_is_reported(string text)
    {
        ConfigTree tree = Tree("PingInterval", text);
        Assert.Null(tree.Integer("PingInterval"));
        Assert.StartsWith("Integer expected for configuration variable PingInterval in /c/tinc.conf line 3", Assert.Single(tree.Report.Warnings));
    }

    private static ConfigTree Tree(string variable, string value) => new([new(variable, value, "/c/tinc.conf", 3)], new ConfigReport());
}
