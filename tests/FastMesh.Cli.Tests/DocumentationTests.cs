using System.Diagnostics;
using System.Text.RegularExpressions;

namespace FastMesh.Cli.Tests;

/// <summary>The manual page, the completion, the usage text and the README know every option and command.</summary>
public class DocumentationTests
{
    public static TheoryData<string> Options => [.. OptionTable.Options.Select(o => o.Long)];

    [Theory, MemberData(nameof(Options))]
    public void Every_option_is_in_the_manual_page(string name)
    {
        OptionSpec option = OptionTable.Options.Single(o => o.Long == name);
        string item = option.Short == '\0' ? $"\n.It Fl -{name}" : $"\n.It Fl {option.Short} , -{name}";
        Assert.Contains(item, File.ReadAllText(Path.Combine(Root(), "docs", "fastmesh.8")));
    }

    [Theory, MemberData(nameof(Options))]
    public void Every_option_is_completed(string name)
        => Assert.Contains($"--{name}", Completions($"--{name[..2]}"));

    public static TheoryData<string> Commands => [.. Cli.Commands.CommandTable.Commands.Select(c => c.Name)];

    [Theory, MemberData(nameof(Commands))]
    public void Every_command_is_documented_and_completed(string name)
    {
        Assert.Contains($"\n.It Cm {name}", File.ReadAllText(Path.Combine(Root(), "docs", "fastmesh.8")));
        Assert.Contains($"`{name}", File.ReadAllText(Path.Combine(Root(), "README.md")));
        Assert.Contains($"\n  {name} ", Usage.Help);
        Assert.Contains(name, Completions(name[..2]));
    }

    [Theory, InlineData("README.md"), InlineData("CONTRIBUTING.md"), InlineData("docs/PERFORMANCE.md"), InlineData("docs/ARCHITECTURE.md")]
    public void Every_link_picture_and_script_of_a_document_exists(string document)
    {
        string path = Path.Combine(Root(), document);
        string text = File.ReadAllText(path);
        foreach (Match link in Regex.Matches(text, @"\]\((?!http)([^)#]+)"))
            Assert.True(Path.Exists(Path.Combine(Path.GetDirectoryName(path)!, link.Groups[1].Value)), $"{document} links to {link.Groups[1].Value}");
        foreach (Match script in Regex.Matches(text, @"\b(?:perf-)?scripts/[\w.-]+\.(?:sh|py)"))
            Assert.True(File.Exists(Path.Combine(Root(), script.Value)), $"{document} names {script.Value}");
    }

    [Fact]
    public void Every_script_that_measures_is_documented()
    {
        string text = File.ReadAllText(Path.Combine(Root(), "docs", "PERFORMANCE.md"));
        string[] libraries = ["lib.sh", "peers.sh", "rounds.sh", "all.sh"];
        foreach (string script in Directory.GetFiles(Path.Combine(Root(), "perf-scripts")).Select(file => Path.GetFileName(file)).Except(libraries))
            Assert.Contains($"| `{script}` |", text);
    }

    private static string Completions(string word)
    {
        string script = Path.Combine(Root(), "dist", "fastmesh.bash-completion");
        string program = $"source '{script}'; COMP_WORDS=(fastmesh {word}); COMP_CWORD=1; _fastmesh 2>/dev/null; printf '%s\\n' \"${{COMPREPLY[@]}}\"";
        using Process bash = Process.Start(new ProcessStartInfo("bash", ["-c", program]) { RedirectStandardOutput = true })!;
        return bash.StandardOutput.ReadToEnd();
    }

    private static string Root()
    {
        string directory = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(directory, "FastMesh.sln")))
            directory = Path.GetDirectoryName(directory)!;
        return directory;
    }
}
