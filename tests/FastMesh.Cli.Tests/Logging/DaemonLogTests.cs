using System.Text.Json;
using FastMesh.Cli.Logging;
using FastMesh.Engine;
using FastMesh.Engine.Wire;
using Microsoft.Extensions.Logging;

namespace FastMesh.Cli.Tests.Logging;

public sealed class DaemonLogTests : IDisposable
{
    private readonly StringWriter _output = new();
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void A_line_of_JSON_has_what_every_entry_has_and_the_fields_of_its_message()
    {
        using (DaemonLog log = new(new ConsoleSink(_output, new LineStyle(IsJson: true, "net")), null, 1))
            Engine(log).Connections.InvitationInvalid("its \"name\"\u001b[2J is not valid");
        using JsonDocument line = JsonDocument.Parse(_output.ToString());
        Assert.Equal(
            "time level debugLevel eventId event net message problem",
            string.Join(' ', line.RootElement.EnumerateObject().Select(field => field.Name)));
        Assert.Equal("warning", Text("level"));
        Assert.Equal(1, line.RootElement.GetProperty("debugLevel").GetInt32());
        Assert.Equal(20, line.RootElement.GetProperty("eventId").GetInt32());
        Assert.Equal("InvitationInvalid", Text("event"));
        Assert.Equal("net", Text("net"));
        Assert.Equal("An invitation was refused: its \"name\"?[2J is not valid", Text("message"));
        Assert.Equal("its \"name\"\u001b[2J is not valid", Text("problem"));
        Assert.Matches(@"\A\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z\z", Text("time"));
        Assert.EndsWith("}\n", _output.ToString());

        string? Text(string name) => line.RootElement.GetProperty(name).GetString();
    }

    [Fact]
    public void A_flood_is_cut_off_and_told_at_the_end()
    {
        using (DaemonLog log = new(new ConsoleSink(_output), null, 0))
        {
            for (int i = 0; i < 1000; i++)
                Engine(log).Always.GuestRefused("x", "no room");
            Engine(log).Always.ConfigurationWarning("other things go on");
        }

        string[] lines = _output.ToString().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(LogLimiter.PerMinuteOfAll, lines.Count(line => line == "The invited node x was refused: no room"));
        Assert.Equal("other things go on", lines[^2]);
        Assert.Equal($"{1000 - LogLimiter.PerMinuteOfAll} more messages GuestRefused (event 21) about others suppressed", lines[^1]);
    }

    [Fact]
    public void What_the_operator_asked_for_is_never_cut_off()
    {
        using (DaemonLog log = new(new ConsoleSink(_output), null, 0))
        {
            for (int i = 0; i < 1000; i++)
                Engine(log).Always.ConfigurationWarning("x");
        }

        Assert.Equal(1000, _output.ToString().Count(c => c == '\n'));
    }

    [Fact]
    public void A_log_file_that_was_moved_away_is_made_anew_and_the_lines_before_stay_where_they_are()
    {
        string path = _directory["log"];
        using DaemonLog log = new(new FileSink(path, "tinc", default, user: null), null, 0);
        Engine(log).Always.ConfigurationWarning("first");
        File.Move(path, path + ".1");
        Engine(log).Always.ConfigurationWarning("second");
        log.ReopenLog();
        Engine(log).Always.ConfigurationWarning("third");
        Assert.Matches(@"\A\S+ \S+ tinc\[\d+\]: first\n\S+ \S+ tinc\[\d+\]: second\n\z", _directory.Read("log.1"));
        Assert.Matches(@"\A\S+ \S+ tinc\[\d+\]: third\n\z", _directory.Read("log"));
    }

    [Fact]
    public void A_log_file_that_cannot_be_opened_anew_says_so_in_the_old_one()
    {
        string path = _directory["log"];
        using DaemonLog log = new(new FileSink(path, "tinc", default, user: null), null, 0);
        File.Move(path, path + ".1");
        Directory.CreateDirectory(path);
        log.ReopenLog();
        Assert.EndsWith($": Could not open log file {path}: Is a directory; still using the old one\n", _directory.Read("log.1"));
    }

    [Fact]
    public void Host_names_are_in_the_lines_once_they_are_known_and_nobody_waits_for_them()
    {
        using ManualResetEventSlim answers = new();
        Dictionary<string, string?> names = new() { ["192.0.2.1"] = "one.example", ["2001:db8::2"] = null, ["192.0.2.3"] = "x) is fine (192.0.2.9" };
        using DaemonLog log = new(new ConsoleSink(_output), null, 0)
        {
            HostNames = new HostNames(address =>
            {
                answers.Wait();
                return names[address];
            }),
        };

        Assert.Equal("one (192.0.2.1 port 655), two (2001:db8::2 port 7), three (192.0.2.3 port 1), 192.0.2.4", Logged());
        answers.Set();
        string line = "";
        Assert.True(SpinWait.SpinUntil(() => (line = Logged()).Contains("example", StringComparison.Ordinal), TimeSpan.FromSeconds(30)));
        Assert.Equal("one (one.example port 655), two (2001:db8::2 port 7), three (192.0.2.3 port 1), 192.0.2.4", line);

        string Logged()
        {
            _output.GetStringBuilder().Clear();
            KeyValuePair<string, object?>[] fields = [new("One", At("192.0.2.1", "655")), new("Two", At("2001:db8::2", "7")), new("Three", At("192.0.2.3", "1"))];
            Engine(log).Always.Log(LogLevel.Information, 0, fields, null, static (state, _) => $"one ({state[0].Value}), two ({state[1].Value}), three ({state[2].Value}), 192.0.2.4");
            return _output.ToString().TrimEnd();
        }

        static Endpoint At(string address, string port) => Endpoint.TryParse(address, port, out Endpoint endpoint) ? endpoint : default;
    }

    [Fact]
    public void A_full_disk_costs_lines_and_nothing_else()
    {
        using DaemonLog log = new(new FileSink("/dev/full", "tinc", default, user: null), null, 0);
        Engine(log).Always.ConfigurationWarning("x");
    }

    private static EngineLog Engine(DaemonLog log) => new(new LoggerFactory([log]));
}
