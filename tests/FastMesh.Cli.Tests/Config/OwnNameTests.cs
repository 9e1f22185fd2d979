using FastMesh.Cli.Config;

namespace FastMesh.Cli.Tests.Config;

/// <summary>Name and its environment variables (tinc 1.0 reference, 2.3).</summary>
public class OwnNameTests
{
    [Theory]
    [InlineData("alpha", "alpha")]
    [InlineData("A_1", "A_1")]
    [InlineData("_", "_")]
    [InlineData("a-b", null)]
    [InlineData("a b", null)]
    [InlineData("../a", null)]
    [InlineData("\u00e9", null)]
    public void A_name_is_ASCII_letters_digits_and_underscores(string value, string? expected) => Assert.Equal(expected, Resolve(value, out _));

    [Fact]
    public void A_variable_gives_the_name_with_other_bytes_replaced()
    {
        Environment.SetEnvironmentVariable("FASTMESH_TEST_NAME", "web-1.example.org");
        Assert.Equal("web_1_example_org", Resolve("$FASTMESH_TEST_NAME", out _));
    }

    [Fact]
    public void Without_HOST_in_the_environment_the_host_name_counts_with_its_domain()
    {
        Environment.SetEnvironmentVariable("HOST", null);
        string expected = string.Concat(File.ReadAllText("/proc/sys/kernel/hostname").Trim().Select(c => char.IsAsciiLetterOrDigit(c) ? c : '_'));
        Assert.Equal(expected, Resolve("$HOST", out _));
    }

    [Fact]
    public void A_missing_variable_is_an_error()
    {
        Assert.Null(Resolve("$FASTMESH_TEST_NO_SUCH", out ConfigReport report));
        Assert.StartsWith("Invalid Name: environment variable FASTMESH_TEST_NO_SUCH does not exist", Assert.Single(report.Errors));
    }

    [Fact]
    public void No_name_is_an_error()
    {
        ConfigReport report = new();
        Assert.Null(OwnName.Resolve(new ConfigTree([], report)));
        Assert.StartsWith("Name for tinc daemon required!", Assert.Single(report.Errors));
    }

    private static string? Resolve(string value, out ConfigReport report)
        => OwnName.Resolve(new ConfigTree([new("Name", value, "tinc.conf", 1)], report = new ConfigReport()));
}
