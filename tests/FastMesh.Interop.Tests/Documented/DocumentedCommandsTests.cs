using System.Text.RegularExpressions;
using FastMesh.Interop.Tests.Support;

namespace FastMesh.Interop.Tests.Documented;

/// <summary>
/// Every command that a document shows is run, in the order of the document, on machines with the names that stand after <c>```sh</c>. What cannot run here is
/// in <see cref="s_notRun"/> with the reason, and checked in another way. A command that is neither fails the test.
/// </summary>
public sealed partial class DocumentedCommandsTests : IDisposable
{
    private static readonly string s_root = Programs.RepositoryRoot();

    /// <summary>What is not run, and what has to be true of it: given the command, a problem or null.</summary>
    private static readonly (Regex Command, string Reason, Func<Match, string?> Problem)[] s_notRun =
    [
        (Make(), "builds or tests the whole project", m => File.ReadAllText(InRoot("Makefile")).Contains($"\n{m.Groups[1]}: ", StringComparison.Ordinal) ? null : "no such target"),
        (Install(), "is what scripts/deb-test.sh does in roots of Debian", m => Directory.Exists(InRoot("debian")) && File.Exists(InRoot("scripts/deb-test.sh")) ? null : "no packages"),
        (DotnetTest(), "is the test itself", m => Directory.Exists(InRoot(m.Groups[1].Value)) ? null : "no such project"),
        (Script(), "measures for minutes, or needs a quiet machine", m => File.Exists(InRoot(m.Groups[1].Value)) ? null : "no such script"),
    ];

    private readonly Dictionary<string, Machine> _machines = [];
    private TestNetwork? _network;
    private readonly Dictionary<string, string> _urls = [];

    public static TheoryData<string> Documents =>
        [.. new[] { "README.md", "CONTRIBUTING.md" }.Concat(Directory.GetFiles(InRoot("docs"), "*.md").Select(f => Path.GetRelativePath(s_root, f)))];

    [SkippableTheory, MemberData(nameof(Documents))]
    public void Commands_of_a_document_do_what_it_says(string document)
    {
        IReadOnlyList<ShellBlock> blocks = ShellBlock.OfMarkdown(s_root, document);
        string[] machines = [.. blocks.Select(b => b.Machine).Where(m => m.Length > 0).Distinct()];
        if (machines.Length > 0) Connect([.. machines, "other"]);
        if (machines.Contains("old")) RunTincd(_machines["old"], _machines["other"]);
        foreach (ShellBlock block in blocks) Run(block);
    }

    [SkippableFact]
    public void Examples_of_the_manual_work()
    {
        IEnumerable<ShellBlock> commands = ShellBlock.OfMarkdown(s_root, "docs/manual/commands.md").Select(b => b.Machine.Length == 0 ? b with { Machine = "alpha" } : b);
        ShellBlock[] blocks = [.. commands, .. ShellBlock.OfManual(s_root, "docs/fastmesh.8")];
        Assert.Contains(blocks, b => b.Place.StartsWith("docs/fastmesh.8", StringComparison.Ordinal));
        string[] mesh = ["alpha", "beta", "gamma"];
        Connect([.. mesh, "delta", "old", "other"]);
        RunTincd(_machines["old"], _machines["other"]);
        IEnumerable<ShellBlock> start = ShellBlock.OfMarkdown(s_root, "README.md").Where(b => b.Commands.Any(c => c.Contains(" init ", StringComparison.Ordinal) || c.Contains(" join ", StringComparison.Ordinal)));
        foreach (ShellBlock block in start.Concat(blocks)) Run(block);
    }

    public void Dispose()
    {
        _network?.Dispose();
        foreach (Machine machine in _machines.Values) machine.Dispose();
    }

    private void Run(ShellBlock block)
    {
        foreach (string command in block.Commands)
        {
            if (s_notRun.Select(n => (n.Problem, Match: n.Command.Match(command))).FirstOrDefault(n => n.Match.Success) is { Match: not null } other)
            {
                Assert.True(other.Problem(other.Match) is null, $"{block.Place}: {command}: {other.Problem(other.Match)}");
                continue;
            }

            Assert.True(_machines.ContainsKey(block.Machine), $"{block.Place}: \"{command}\" does not run: say on which machine (```sh alpha), or why not in this test");
            Run(_machines[block.Machine], command, block.Place);
        }
    }

    private void Run(Machine machine, string command, string place)
    {
        string line = Url().Replace(command, _urls.GetValueOrDefault(machine.Host.Name, "URL"));
        if (Foreground().Match(line) is { Success: true } foreground)
        {
            machine.Start(line);
            Poll.Until(() => machine.Try($"test -e /run/tinc.{foreground.Groups[1]}.pid").ExitCode == 0, () => $"{place}: {command}: not up");
            return;
        }

        ShellResult result = machine.Try(line);
        if (line.StartsWith("ping ", StringComparison.Ordinal) || line.Contains(" speed ", StringComparison.Ordinal)) // the document's reader types slower
            Poll.TryUntil(() => result.ExitCode == 0 || (result = machine.Try(line)).ExitCode == 0, TimeSpan.FromSeconds(30));
        Assert.True(result.ExitCode == 0, $"{place}: {line}: exit code {result.ExitCode}\n{result.Output}{result.Error}");
        if (Kill().Match(line) is { Success: true } kill)
            Poll.Until(() => machine.Try($"test -e /run/tinc.{kill.Groups[1]}.pid").ExitCode != 0, () => $"{place}: {line}: it goes on");
        if (Invite().Match(line) is { Success: true } invite) _urls[invite.Groups[1].Value] = result.Output.Trim();
    }

    private void Connect(IEnumerable<string> names)
    {
        _network = new TestNetwork();
        NetworkHost[] hosts = [.. names.Select(n => _network.AddHost(n))];
        string addresses = "127.0.0.1 localhost\n" + string.Concat(hosts.Select(h => $"{h.Address()} {h.Name}.example.org {h.Name}\n"));
        foreach (NetworkHost host in hosts) _machines.Add(host.Name, new Machine(host, s_root, addresses));
    }

    /// <summary>The net master of tinc 1.0 between two machines, as somebody may have it who comes to FastMesh.</summary>
    private static void RunTincd(Machine old, Machine other)
    {
        Machine[] machines = [old, other];
        for (int i = 0; i < machines.Length; i++)
        {
            string name = machines[i].Host.Name, address = $"10.6.0.{11 + i}";
            machines[i].Run($"""
                mkdir -p /etc/tinc/master/hosts && cd /etc/tinc/master
                printf 'Name = {name}\nConnectTo = {machines[1 - i].Host.Name}\n' >tinc.conf
                printf 'Address = {name}.example.org\nSubnet = {address}\n' >hosts/{name}
                printf '#!/bin/sh\nip link set dev $INTERFACE up\nip addr add {address}/24 dev $INTERFACE\n' >tinc-up
                chmod +x tinc-up && tincd -n master -K 2048 </dev/null
                """);
        }

        for (int i = 0; i < machines.Length; i++)
        {
            string name = machines[i].Host.Name;
            machines[1 - i].Run($"cat >/etc/tinc/master/hosts/{name} <<'end'\n{machines[i].Run($"cat /etc/tinc/master/hosts/{name}")}\nend\n");
        }

        foreach (Machine machine in machines) machine.Run("tincd -n master");
    }

    private static string InRoot(string path) => Path.Combine(s_root, path);

    [GeneratedRegex(@"^(?:sudo )?make (\w+)")]
    private static partial Regex Make();

    [GeneratedRegex(@"^sudo apt install \./artifacts/deb/fastmesh_\*\.deb$")]
    private static partial Regex Install();

    [GeneratedRegex(@"^dotnet test (\S+)")]
    private static partial Regex DotnetTest();

    [GeneratedRegex(@"^(?:sudo )?((?:perf-)?scripts/\S+)")]
    private static partial Regex Script();

    [GeneratedRegex(@"\bURL\b")]
    private static partial Regex Url();

    [GeneratedRegex(@" invite (\w+)$")]
    private static partial Regex Invite();

    [GeneratedRegex(@"(?:tincd|fastmesh) -n (\w+) -k$")]
    private static partial Regex Kill();

    [GeneratedRegex(@"fastmesh -n (\w+) .*-D\b")]
    private static partial Regex Foreground();
}
