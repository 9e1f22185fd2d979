using System.Diagnostics;
using System.Text.RegularExpressions;
using FastMesh.Cli.Commands;
using FastMesh.Manual;

namespace FastMesh.Cli.Tests;

/// <summary>Manual pages, completions, usage text and README know every option, command and variable.</summary>
public class DocumentationTests
{
    /// <summary>A text that is missing fails here, with its name; "make docs" writes the files.</summary>
    [Theory]
    [InlineData("docs/fastmesh.8")]
    [InlineData("docs/fastmesh.conf.5")]
    [InlineData("dist/fastmesh.bash-completion")]
    [InlineData("dist/_fastmesh")]
    public void Manual_pages_and_completions_are_what_the_tables_give(string path)
    {
        string made = ManualFiles.All(Root()).Single(f => f.Path == path).Text;
        Assert.True(made == File.ReadAllText(Path.Combine(Root(), path)), $"{path} is not what the tables and docs/manual give: run make docs");
    }

    [SkippableTheory, InlineData("fastmesh.8"), InlineData("fastmesh.conf.5")]
    public void Manual_pages_are_clean_mdoc(string page)
    {
        Skip.IfNot(File.Exists("/usr/bin/mandoc"), "needs the package mandoc");
        IEnumerable<string> problems = Output("mandoc", ["-T", "lint", Path.Combine(Root(), "docs", page)], "")
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => !l.Contains("referenced manual not found", StringComparison.Ordinal));
        Assert.Empty(problems);
    }

    public static TheoryData<string> Options => [.. OptionTable.Options.Select(o => o.Long)];

    [Theory, MemberData(nameof(Options))]
    public void Every_option_is_in_the_usage_text(string name) => Assert.Contains($" --{name}", Usage.Help);

    public static TheoryData<string> Commands => [.. CommandTable.Commands.Select(c => c.Name)];

    [Theory, MemberData(nameof(Commands))]
    public void Every_command_is_in_the_usage_text_and_the_README(string name)
    {
        Assert.Contains($"`{name}", File.ReadAllText(Path.Combine(Root(), "README.md")));
        Assert.Contains($"\n  {name} ", Usage.Help);
    }

    [Theory, MemberData(nameof(Documents))]
    public void Every_link_picture_and_script_of_a_document_exists(string document)
    {
        string path = Path.Combine(Root(), document);
        string text = File.ReadAllText(path);
        foreach (Match link in Regex.Matches(text, @"\]\((?!http)([^)#]+)"))
            Assert.True(Path.Exists(Path.Combine(Path.GetDirectoryName(path)!, link.Groups[1].Value)), $"{document} links to {link.Groups[1].Value}");
        foreach (Match script in Regex.Matches(text, @"\b(?:perf-)?scripts/[\w.-]+\.(?:sh|py)"))
            Assert.True(File.Exists(Path.Combine(Root(), script.Value)), $"{document} names {script.Value}");
    }

    /// <summary>What stands in the middle of a sentence is not run by any test, but must be possible.</summary>
    [Theory, MemberData(nameof(Documents))]
    public void Every_command_in_a_sentence_is_one_that_the_program_or_the_Makefile_understands(string document)
    {
        string text = File.ReadAllText(Path.Combine(Root(), document));
        foreach (Match command in Regex.Matches(text, @"`(?:sudo )?fastmesh (-[^`]+)`"))
        {
            string[] arguments = [.. command.Groups[1].Value.Replace("COMMAND", "status", StringComparison.Ordinal).Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries)];
            Assert.True(CommandLine.TryParse(arguments, out _) is null, $"{document}: {command.Value}: {CommandLine.TryParse(arguments, out _)}");
        }

        string makefile = File.ReadAllText(Path.Combine(Root(), "Makefile"));
        foreach (Match target in Regex.Matches(text, @"`(?:sudo )?make (\w+)"))
            Assert.Contains($"\n{target.Groups[1].Value}:", makefile);
    }

    public static TheoryData<string> Documents =>
        [.. Directory.GetFiles(Root(), "*.md").Concat(Directory.GetFiles(Path.Combine(Root(), "docs"), "*.md", SearchOption.AllDirectories)).Select(f => Path.GetRelativePath(Root(), f))];

    [Fact]
    public void Every_script_that_measures_is_documented()
    {
        string text = File.ReadAllText(Path.Combine(Root(), "docs", "PERFORMANCE.md"));
        string[] libraries = ["lib.sh", "peers.sh", "rounds.sh", "all.sh"];
        foreach (string script in Directory.GetFiles(Path.Combine(Root(), "perf-scripts")).Select(file => Path.GetFileName(file)).Except(libraries))
            Assert.Contains($"| `{script}` |", text);
    }

    private static string Output(string program, string[] arguments, string input)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardInput = true })!;
        process.StandardInput.Write(input);
        process.StandardInput.Close();
        return process.StandardOutput.ReadToEnd();
    }

    internal static string Root()
    {
        string directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "FastMesh.sln")))
            directory = Path.GetDirectoryName(directory)!;
        return directory;
    }
}
