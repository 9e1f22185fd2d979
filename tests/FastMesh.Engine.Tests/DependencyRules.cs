using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace FastMesh.Engine.Tests;

/// <summary>The arrows between folders that docs/ARCHITECTURE.md allows, checked on the source text.</summary>
public sealed partial class DependencyRules
{
    // Folder, and the namespaces of ours that it may use besides its own.
    private static readonly Dictionary<string, string[]> s_allowed = new()
    {
        ["Native/Interop"] = [],
        ["Native/Linux"] = ["Native.Interop", "Native.Memory"],
        ["Native/Uring"] = ["Native.Interop", "Native.Memory"],
        ["Native/Memory"] = ["Native.Interop"],
        ["Native/Crypto"] = ["Native.Interop"],
        ["Engine/Wire"] = [],
        ["Engine/Crypto"] = ["Engine.Wire", "Native.Crypto"],
        ["Engine/Routing"] = ["Engine.Wire", "Engine.Crypto"],
        ["Engine/Protocol"] = ["Engine.Wire", "Engine.Crypto", "Engine.Routing"],
        ["Engine/DataPath"] = ["Engine.Wire", "Engine.Crypto", "Engine.Routing", "Native.Linux", "Native.Uring", "Native.Memory"],
        ["Engine/Daemon"] =
            ["Engine.Wire", "Engine.Crypto", "Engine.Routing", "Engine.Protocol", "Engine.DataPath", "Native.Linux", "Native.Memory"],
    };

    // What the program may see of the engine: the daemon and its options, and the values these are made of.
    private static readonly string[] s_program =
        ["Engine", "Engine.Daemon", "Engine.Wire", "Engine.Crypto", "Engine.Protocol", "Engine.Routing", "Engine.DataPath"];

    public static TheoryData<string> Folders => [.. s_allowed.Keys];

    [Theory]
    [MemberData(nameof(Folders))]
    public void A_folder_uses_only_what_is_below_it(string folder)
    {
        string own = folder.Replace('/', '.');
        string[] wrong = [.. from file in SourceFiles($"FastMesh.{folder}")
                             from used in OursUsedBy(file)
                             where used != own && used != "Engine" && !s_allowed[folder].Contains(used)
                             select $"{Path.GetFileName(file)} uses {used}"];
        Assert.Empty(wrong);
    }

    [Fact]
    public void The_program_uses_only_the_engine()
    {
        string[] wrong = [.. from file in SourceFiles("FastMesh.Cli")
                             from used in OursUsedBy(file)
                             where !used.StartsWith("Cli", StringComparison.Ordinal) && !s_program.Contains(used)
                             select $"{Path.GetFileName(file)} uses {used}"];
        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_source_file_has_the_namespace_of_its_folder()
    {
        string root = SourceRoot();
        string[] wrong = [.. from file in SourceFiles("")
                             let text = File.ReadAllText(file)
                             let match = NamespaceLine().Match(text)
                             let folder = Path.GetRelativePath(root, Path.GetDirectoryName(file)!).Replace('/', '.')
                             where match.Success && match.Groups[1].Value != folder
                             select $"{Path.GetRelativePath(root, file)} is in namespace {match.Groups[1].Value}"];
        Assert.Empty(wrong);
    }

    [Fact]
    public void No_source_file_is_longer_than_500_lines()
    {
        string root = SourceRoot();
        string[] wrong = [.. from file in SourceFiles("")
                             let lines = File.ReadLines(file).Count()
                             where lines > 500
                             select $"{Path.GetRelativePath(root, file)} has {lines} lines"];
        Assert.Empty(wrong);
    }

    private static IEnumerable<string> OursUsedBy(string file) =>
        from Match match in OurNamespace().Matches(WithoutComments(File.ReadAllText(file)))
        select match.Groups[1].Value;

    private static string WithoutComments(string text) => Comment().Replace(text, "");

    private static IEnumerable<string> SourceFiles(string project)
    {
        // FastMesh.Engine/Wire is a folder of the project FastMesh.Engine.
        string folder = Path.Combine(SourceRoot(), project);
        Assert.True(Directory.Exists(folder) || project.Contains("/Uring", StringComparison.Ordinal), $"There is no {folder}");
        return !Directory.Exists(folder) ? [] : Directory.EnumerateFiles(folder, "*.cs", SearchOption.AllDirectories)
            .Where(file => !file.Contains("/obj/", StringComparison.Ordinal) && !file.Contains("/bin/", StringComparison.Ordinal));
    }

    private static string SourceRoot([CallerFilePath] string thisFile = "")
    {
        string root = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "../../src"));
        Assert.True(Directory.Exists(root), $"The sources are not at {root}, where they were compiled");
        return root;
    }

    /// <summary>"using FastMesh.X.Y" and qualified names; only namespaces of two levels are told apart.</summary>
    [GeneratedRegex(@"\bFastMesh\.((?:Native|Engine|Cli)(?:\.(?:Interop|Linux|Uring|Memory|Crypto|Wire|Routing|Protocol|DataPath|Daemon))?)\b")]
    private static partial Regex OurNamespace();

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex NamespaceLine();

    [GeneratedRegex(@"//.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();
}
