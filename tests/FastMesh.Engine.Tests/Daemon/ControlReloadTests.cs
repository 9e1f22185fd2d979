using System.Text.Json;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Daemon;

/// <summary>Plans and reloads asked for by the control socket.</summary>
[Collection("process")]
public sealed class ControlReloadTests : IDisposable
{
    private readonly ControlledDaemon _alpha = new();

    public void Dispose() => _alpha.Dispose();

    [Fact]
    public async Task Broken_files_are_refused_whole_and_the_daemon_goes_on()
    {
        await _alpha.Daemon.StartAndWaitAsync();
        using ControlSocketClient client = _alpha.Open();
        _alpha.Files = new ConfigurationReading { Errors = ["tinc.conf line 3 is bad", "so is line 4"] };
        client.Send("18 1");
        Assert.Equal("18 1 22", client.Line()); // EINVAL, as from tincd 1.1pre18
        client.Send("18 121");
        ReloadPlan answer = PlanOf(client.Line()!, "18 121 ");
        Assert.Equal((ReloadResult.Refused, "alpha"), (answer.Result, answer.Node));
        Assert.Equal(["tinc.conf line 3 is bad", "so is line 4"], answer.Errors);
        int block = _alpha.Daemon.Log.Lines.ToList().IndexOf("Reload refused: everything stays as it was until this is mended:");
        Assert.Equal(["  tinc.conf line 3 is bad", "  so is line 4"], _alpha.Daemon.Log.Lines.Skip(block + 1).Take(2));
    }

    [Fact]
    public async Task A_plan_tells_what_a_reload_then_does_and_changes_nothing_itself()
    {
        await _alpha.Daemon.StartAndWaitAsync();
        using ControlSocketClient client = _alpha.Open();
        int accepted = 0;
        Assert.True(Subnet.TryParse("10.9.0.0/16", out Subnet added));
        _alpha.Files = new ConfigurationReading
        {
            Options = _alpha.Daemon.Options with { Mesh = _alpha.Daemon.Options.Mesh with { Subnets = [added], ConnectTo = ["beta"] }, DebugLevel = 3 },
            Variables = [new("Subnet", null, null, new("10.9.0.0/16", "hosts/alpha line 2"), ChangeEffect.Reload)],
            Accept = () => accepted++,
        };
        client.Send("18 120");
        ReloadPlan plan = PlanOf(client.Line()!, "18 120 ");
        Assert.Equal(ReloadResult.Changes, plan.Result);
        Assert.Equal([new("alpha", "10.1.0.0/24#10", false), new("alpha", "10.9.0.0/16#10", true)], plan.Subnets);
        Assert.Equal(("beta", ConnectionStep.Dial), (plan.Connections.Single().Node, plan.Connections.Single().Step));
        Assert.Equal(_alpha.Files.Variables, plan.Variables);
        Assert.Equal((0, 0, 5), (accepted, _alpha.Daemon.Log.Reopened, _alpha.Daemon.Log.DebugLevel));

        client.Send("18 121");
        ReloadPlan done = PlanOf(client.Line()!, "18 121 ");
        Assert.Equal((ReloadResult.Applied, 1, 3), (done.Result, accepted, _alpha.Daemon.Log.DebugLevel));
        Assert.Equal(plan.Subnets, done.Subnets);
        _alpha.Daemon.Log.WaitFor("Reloaded the configuration: 1 values and 0 host files differ, 0 connections end, 2 subnets change");
        client.Send("18 5");
        Assert.Contains("18 5 10.9.0.0/16 alpha", client.Lines(6));
    }

    [Fact]
    public async Task Nothing_to_change_is_said_plainly()
    {
        await _alpha.Daemon.StartAndWaitAsync();
        using ControlSocketClient client = _alpha.Open();
        _alpha.Files = new ConfigurationReading { Options = _alpha.Daemon.Options };
        client.Send("18 120");
        Assert.Equal(ReloadResult.Nothing, PlanOf(client.Line()!, "18 120 ").Result);
        client.Send("18 1");
        Assert.Equal("18 1 0", client.Line());
        _alpha.Daemon.Log.WaitFor("Reloaded the configuration: nothing has changed");
    }

    private static ReloadPlan PlanOf(string line, string prefix)
    {
        Assert.StartsWith(prefix, line, StringComparison.Ordinal);
        ReloadPlan? plan = JsonSerializer.Deserialize(line[prefix.Length..], ReloadJson.Default.ReloadPlan);
        Assert.NotNull(plan);
        return plan;
    }
}
