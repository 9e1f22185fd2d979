using System.Text;
using FastMesh.Cli.Config;
using FsCheck;
using FsCheck.Fluent;

namespace FastMesh.Cli.Tests.Config;

/// <summary>The line grammar, rule by rule (tinc 1.0 reference, 2.2); line numbers as tincd 1.0.36 prints them.</summary>
public class ConfigFileTests
{
    private const string Path = "/etc/tinc/x/tinc.conf";

    [Theory]
    [InlineData("A=b", "A", "b")]
    [InlineData("A b", "A", "b")]
    [InlineData("A = b", "A", "b")]
    [InlineData("A\t=\tb", "A", "b")]
    [InlineData("A == b", "A", "= b")]
    [InlineData("A b = c", "A", "b = c")]
    [InlineData("A = b  c\t", "A", "b  c")]
    [InlineData("A = b \t ", "A", "b")]
    [InlineData("Port = 655 # x", "Port", "655 # x")]
    [InlineData("A = b\r", "A", "b")]
    [InlineData("A = \r\r", "A", "\r")]
    [InlineData("A = b\0c", "A", "b")]
    [InlineData(" A = b", "", "A = b")]
    [InlineData("= b", "", "b")]
    [InlineData("A\v5 = b", "A\v5", "b")]
    public void A_line_splits_into_variable_and_value(string line, string variable, string value)
    {
        ConfigFile file = Parse($"{line}\n");
        Assert.Null(file.Error);
        Assert.Equal(new ConfigEntry(variable, value, Path, 1), Assert.Single(file.Entries));
    }

    [Theory]
    [InlineData("\n")]
    [InlineData("\r\n")]
    [InlineData("# comment\n")]
    [InlineData("#\n")]
    [InlineData("  \t \n")]
    [InlineData("\0 not seen\n")]
    [InlineData("-----BEGIN RSA PUBLIC KEY-----\nno value\n-----END RSA PUBLIC KEY-----\n")]
    [InlineData("-----BEGIN x\n-----BEGIN y\nnovalue\n-----END z\n")]
    public void Lines_without_meaning_are_skipped_and_counted(string text)
    {
        ConfigFile file = Parse(text + "A = b");
        Assert.Null(file.Error);
        ConfigEntry entry = Assert.Single(file.Entries);
        Assert.Equal(text.Count(c => c == '\n') + 1, entry.Line);
    }

    [Fact]
    public void An_unterminated_block_hides_the_rest_of_the_file()
    {
        ConfigFile file = Parse("A = b\n-----BEGIN RSA PUBLIC KEY-----\nC = d\n");
        Assert.Null(file.Error);
        Assert.Equal("A", Assert.Single(file.Entries).Variable);
    }

    [Fact]
    public void An_end_line_outside_a_block_is_a_line_like_any_other()
        => Assert.Equal("-----END", Assert.Single(Parse("-----END x\n").Entries).Variable);

    [Theory]
    [InlineData("A\n", "A")]
    [InlineData("A =\n", "A")]
    [InlineData("A = \t\n", "A")]
    [InlineData("A = \r\n", "A")]
    [InlineData("A", "A")]
    [InlineData("=\n", "")]
    [InlineData("A\0 = 5\n", "A")]
    public void A_missing_value_stops_the_reading_and_names_file_and_line(string line, string variable)
    {
        ConfigFile file = Parse($"Before = 1\n{line}After = 2\n"[..(line.EndsWith('\n') ? ^0 : ^10)]);
        Assert.Equal("Before", Assert.Single(file.Entries).Variable);
        Assert.StartsWith($"No value for variable `{variable}' on line 2 while reading config file {Path}", file.Error);
    }

    [Theory]
    [InlineData(2047, 2)] // 2047 bytes and the line feed fit
    [InlineData(2048, 3)] // the line feed alone is the second piece
    [InlineData(2049, 2)] // tincd reports the second piece as line 2
    public void A_line_longer_than_2048_bytes_counts_as_several(int length, int line)
    {
        ConfigFile file = Parse($"#{new string('x', length - 1)}\nBaz\n");
        Assert.Contains($"on line {line} while", file.Error);
    }

    [Fact]
    public void A_cut_value_keeps_its_first_2048_bytes()
    {
        ConfigFile file = Parse($"A {new string('y', 3000)} z\n");
        Assert.Equal(2046, file.Entries[0].Value.Length);
        Assert.Equal(("z", 2), (file.Entries[1].Value, file.Entries[1].Line));
    }

    [Fact]
    public void A_missing_file_is_an_error_in_the_words_of_tincd()
    {
        ConfigFile file = ConfigFile.Read("/nonexistent/tinc.conf");
        Assert.True(file.Missing);
        Assert.Equal("Cannot open config file /nonexistent/tinc.conf: No such file or directory", file.Error);
    }

    [Fact]
    public void A_directory_in_place_of_a_file_is_an_error()
        => Assert.Equal("Cannot open config file /etc: Is a directory", ConfigFile.Read("/etc").Error);

    [Fact]
    public void Any_bytes_give_entries_with_values_or_an_error()
    {
        Gen<byte> interesting = Gen.Frequency(
            (3, Gen.Elements("\n\r\t =#-\0AbEND"u8.ToArray())), (1, Gen.Choose(0, 255).Select(i => (byte)i)));
        Prop.ForAll(interesting.ArrayOf().ToArbitrary(), bytes =>
        {
            ConfigFile file = ConfigFile.Parse(bytes, Path);
            return file.Entries.All(e => e.Value.Length > 0 && e.Line >= 1 && e.Line <= bytes.Length && !e.Variable.Contains('='))
                && (file.Error is null || file.Error.Contains(Path));
        }).Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(2000).WithEndSize(400));
    }

    private static ConfigFile Parse(string text) => ConfigFile.Parse(Encoding.UTF8.GetBytes(text), Path);
}
