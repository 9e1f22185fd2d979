using System.Diagnostics;

namespace FastMesh.Cli.Tests;

/// <summary>What bash and zsh themselves offer with our completions.</summary>
public class CompletionTests
{
    /// <summary>What is typed, and all that may follow; words with a tilde must not be offered.</summary>
    public static TheoryData<string, string> Typed => new()
    {
        { "--", "--config --net --pidfile --workers --json --version" },
        { "--no-", "--no-detach --no-offload ~--net" },
        { "in", "init invite ~join" },
        { "-k ", "HUP TERM ALRM" },
        { "-k -", "-n -K" },
        { "--io ", "auto uring mmsg" },
        { "--io=u", "uring ~mmsg" },
        { "--no-offload ", "gso uso" },
        { "-o Conn", "ConnectTo ~Port" },
        { "generate-keys ", "2048 4096" },
        { "-n master generate-rsa-keys ", "4096" },
        { "status --", "--json --batch --timeout ~--net ~--workers" },
        { "-n master check --s", "--strict ~--json" },
        { "generate-keys --batch ", "2048 4096 ~check" },
        { "adopt --timeout 20 --j", "--json" },
    };

    [Theory, MemberData(nameof(Typed))]
    public void Bash_offers(string typed, string offered) => Check(Bash(typed), offered);

    [SkippableTheory, MemberData(nameof(Typed))]
    public void Zsh_offers(string typed, string offered)
    {
        Skip.IfNot(File.Exists("/usr/bin/zsh"), "needs the package zsh");
        Check(Zsh(typed), offered);
    }

    [SkippableTheory, InlineData("bash"), InlineData("zsh")]
    public void Nodes_are_offered_from_the_directory_that_the_line_names(string shell)
    {
        Skip.IfNot(File.Exists($"/usr/bin/{shell}"), $"needs the package {shell}");
        DirectoryInfo directory = Directory.CreateTempSubdirectory("fastmesh-completion-");
        try
        {
            directory.CreateSubdirectory("hosts");
            foreach (string file in (string[])["alpha", "beta", "beta-up"])
                File.WriteAllText(Path.Combine(directory.FullName, "hosts", file), "");
            string typed = $"-c {directory.FullName} speed ";
            Check(shell == "zsh" ? Zsh(typed) : Bash(typed), "alpha beta ~beta-up");
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    /// <summary>Nets are the directories of /etc/tinc with a tinc.conf; the shells see ours in its place.</summary>
    [SkippableTheory]
    [InlineData("bash", "-n ", "master branch ~hosts")]
    [InlineData("zsh", "-n ", "master branch ~hosts")]
    [InlineData("bash", "-n m", "master ~branch")]
    [InlineData("zsh", "-n m", "master ~branch")]
    [InlineData("bash", "-nm", "-nmaster ~-nbranch")]
    [InlineData("zsh", "-nm", "master ~branch")]
    [InlineData("bash", "--net=b", "branch ~master ~speed")]
    [InlineData("zsh", "--net=b", "branch ~master ~speed")]
    [InlineData("bash", "-n master speed ", "alpha ~beta")]
    [InlineData("zsh", "-n master speed ", "alpha ~beta")]
    public void Nets_are_offered_and_the_nodes_of_the_one_that_is_named(string shell, string typed, string offered)
    {
        Skip.IfNot(File.Exists($"/usr/bin/{shell}"), $"needs the package {shell}");
        Skip.IfNot(Environment.IsPrivilegedProcess && Directory.Exists("/etc/tinc"), "needs root and the package tinc");
        DirectoryInfo directory = Directory.CreateTempSubdirectory("fastmesh-completion-");
        try
        {
            foreach (string file in (string[])["master/tinc.conf", "master/hosts/alpha", "branch/tinc.conf", "branch/hosts/beta", "hosts/gamma"])
            {
                Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(directory.FullName, file))!);
                File.WriteAllText(Path.Combine(directory.FullName, file), "");
            }

            Check(shell == "zsh" ? Zsh(typed, directory.FullName) : Bash(typed, directory.FullName), offered);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    private static void Check(string[] output, string offered)
    {
        string[] words = [.. output.Select(w => w.TrimEnd('=', ' '))];
        foreach (string word in offered.Split(' '))
        {
            if (word[0] == '~')
                Assert.DoesNotContain(word[1..], words);
            else
                Assert.Contains(word, words);
        }
    }

    /// <summary>Readline cuts words at equals signs too, and gives those as words.</summary>
    private static string[] Bash(string typed, string? nets = null)
    {
        string words = typed.Replace("=", " = ", StringComparison.Ordinal);
        string last = words.EndsWith(' ') ? "''" : "";
        string script = $"""
            compopt() {"{ :; }"}
            source '{Path.Combine(DocumentationTests.Root(), "dist", "fastmesh.bash-completion")}'
            COMP_WORDS=(fastmesh {words} {last}); COMP_CWORD=$(({"${#COMP_WORDS[@]}"} - 1)); _fastmesh
            printf '%s\n' "{"${COMPREPLY[@]}"}"
            """;
        return Lines("bash", script, nets);
    }

    /// <summary>Types the line into an interactive zsh on a terminal of its own, whose compadd prints what it is given.</summary>
    private static string[] Zsh(string typed, string? nets = null)
    {
        string script = $$"""
            zmodload zsh/zpty
            zpty z zsh -f -i
            zpty -w z "PS1= PS2=; stty -echo; fpath=('{{Path.Combine(DocumentationTests.Root(), "dist")}}' \$fpath); autoload -U compinit; compinit -u -D"
            zpty -w z 'bindkey "^I" complete-word; zstyle ":completion:*" completer _complete'
            zpty -w z 'compadd() { case " ${@[1,(i)(-|--)]} " in *" "-[OAD]" "*) builtin compadd "$@"; return ;; esac
              local -a hits; builtin compadd -O hits "$@"; print -l -- "offer:"${^hits}; builtin compadd "$@" }'
            zpty -w z 'finish() { print end-of-offers; exit }; zle -N finish; bindkey "^X" finish; print begin-of-"offers"'
            zpty -r -m z line '*begin-of-offers*'
            zpty -w -n z "fastmesh {{typed}}"$'\t\x18'
            zpty -r -m z line '*end-of-offers*'
            print -r -- $line
            """;
        return [.. Lines("zsh", script, nets).Where(l => l.Contains("offer:", StringComparison.Ordinal)).Select(l => l[(l.LastIndexOf("offer:", StringComparison.Ordinal) + 6)..].Trim())];
    }

    /// <summary>What a script prints, with a directory of nets in the place of /etc/tinc if there is one.</summary>
    private static string[] Lines(string shell, string script, string? nets)
    {
        string[] command = shell == "zsh" ? ["zsh", "-f", "-c", script] : ["bash", "-c", script];
        if (nets is not null)
            command = ["unshare", "--mount", "sh", "-c", "mount --bind \"$0\" /etc/tinc && exec \"$@\"", nets, .. command];
        ProcessStartInfo start = new(command[0], command[1..]) { RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        return process.StandardOutput.ReadToEnd().Split('\n');
    }
}
