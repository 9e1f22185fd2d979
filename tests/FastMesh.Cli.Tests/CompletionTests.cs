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
    private static string[] Bash(string typed)
    {
        string words = typed.Replace("=", " = ", StringComparison.Ordinal);
        string last = words.EndsWith(' ') ? "''" : "";
        string script = $"""
            compopt() {"{ :; }"}
            source '{Path.Combine(DocumentationTests.Root(), "dist", "fastmesh.bash-completion")}'
            COMP_WORDS=(fastmesh {words} {last}); COMP_CWORD=$(({"${#COMP_WORDS[@]}"} - 1)); _fastmesh
            printf '%s\n' "{"${COMPREPLY[@]}"}"
            """;
        return Lines("bash", script);
    }

    /// <summary>Types the line into an interactive zsh on a terminal of its own, whose compadd prints what it is given.</summary>
    private static string[] Zsh(string typed)
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
        return [.. Lines("zsh", script).Where(l => l.Contains("offer:", StringComparison.Ordinal)).Select(l => l[(l.LastIndexOf("offer:", StringComparison.Ordinal) + 6)..].Trim())];
    }

    private static string[] Lines(string shell, string script)
    {
        ProcessStartInfo start = new(shell, shell == "zsh" ? ["-f", "-c", script] : ["-c", script]) { RedirectStandardOutput = true };
        using Process process = Process.Start(start)!;
        return process.StandardOutput.ReadToEnd().Split('\n');
    }
}
