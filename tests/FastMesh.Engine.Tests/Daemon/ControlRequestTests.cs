using System.Text.Json;

namespace FastMesh.Engine.Tests.Daemon;

/// <summary>What a daemon answers on its control socket. Expected lines: tinc 1.1 reference, 10.2, and the same lines sent to tincd 1.1pre18 by hand.</summary>
[Collection("process")]
public sealed class ControlRequestTests : IDisposable
{
    private readonly ControlledDaemon _alpha = new();

    public void Dispose() => _alpha.Dispose();

    [Fact]
    public async Task Lists_have_a_row_each_and_an_end()
    {
        await _alpha.Daemon.StartAndWaitAsync();
        using ControlSocketClient client = _alpha.Open();
        client.Send("18 3 ignored");
        // alpha's id is the beginning of its SHA-512; the sixteenth field is the time of the start
        Assert.Matches(
            $"^18 3 alpha ba3ce58667ca MYSELF port {_alpha.Daemon.Port} 0 0 0 0 c [0-9a-f]+ alpha alpha 0 1518 0 1518 [0-9]{{10}} -1 0 0 0 0$",
            client.Line());
        Assert.Equal("18 3", client.Line());
        client.Send("18 4");
        Assert.Equal("18 4", client.Line());
        client.Send("18 5");
        Assert.Equal(
            ["18 5 ff:ff:ff:ff:ff:ff (broadcast)", "18 5 255.255.255.255 (broadcast)", "18 5 10.1.0.0/24 alpha",
                "18 5 224.0.0.0/4 (broadcast)", "18 5 ff00::/8 (broadcast)", "18 5"],
            client.Lines(6));
        client.Send("18 13");
        Assert.Equal(["18 13 alpha 0 0 0 0", "18 13"], client.Lines(2));
        client.Send("18 6");
        Assert.Matches("^18 6 <control> localhost port unix 0 [0-9]+ 200$", client.Line());
        Assert.Equal("18 6", client.Line());
    }

    [Fact]
    public async Task A_snapshot_is_one_line_of_json_and_says_what_the_lists_say()
    {
        await _alpha.Daemon.StartAndWaitAsync();
        using ControlSocketClient client = _alpha.Open();
        client.Send("18 100");
        string line = client.Line()!;
        Assert.StartsWith("18 100 {", line, StringComparison.Ordinal);
        using JsonDocument json = JsonDocument.Parse(line["18 100 ".Length..]);
        JsonElement root = json.RootElement, daemon = root.GetProperty("daemon"), node = Assert.Single(root.GetProperty("nodes").EnumerateArray());
        Assert.Equal(("alpha", "test", Environment.ProcessId, "17.0"), (Text(daemon, "name"), Text(daemon, "net"), daemon.GetProperty("pid").GetInt32(), Text(daemon, "protocol")));
        Assert.Equal(("router", "mmsg", 5), (Text(daemon, "mode"), Text(daemon, "io"), daemon.GetProperty("debugLevel").GetInt32()));
        Assert.EndsWith("Z", Text(root, "time"), StringComparison.Ordinal);
        Assert.Equal(("dummy", JsonValueKind.Null), (Text(root.GetProperty("device"), "kind"), root.GetProperty("device").GetProperty("mtuBytes").ValueKind));
        JsonElement listener = Assert.Single(root.GetProperty("listeners").EnumerateArray());
        Assert.Equal(("127.0.0.1", $"{_alpha.Daemon.Port}"), (Text(listener, "address"), Text(listener, "port")));
        Assert.Equal(("alpha", "ba3ce58667ca", "self", "legacy"),
            (Text(node, "name"), Text(node, "id"), Text(node.GetProperty("path"), "kind"), Text(node, "protocol")));
        JsonElement subnet = Assert.Single(root.GetProperty("subnets").EnumerateArray());
        Assert.Equal(("10.1.0.0/24", "alpha", 10), (Text(subnet, "subnet"), Text(subnet, "owner"), subnet.GetProperty("weight").GetInt32()));
        Assert.Equal(0, root.GetProperty("totals").GetProperty("droppedPackets").GetProperty("noSubnet").GetInt64());

        static string Text(JsonElement parent, string name) => parent.GetProperty(name).GetString()!;
    }

    [Theory]
    [InlineData("18 2", "18 -1")]
    [InlineData("18 7", "18 -1")]
    [InlineData("18 11 beta", "18 -1")]
    [InlineData("18 16", "18 -1")]
    [InlineData("18 -1", "18 -1")]
    [InlineData("18 2147483647", "18 -1")]
    [InlineData("18 8 more", "18 8 0")]
    [InlineData("18 10", "18 10 0")]
    [InlineData("18 12", "18 12 -1")]
    [InlineData("18 12 nobody", "18 12 -2")]
    [InlineData("18 9 -1", "18 9 5")]
    public async Task A_request_gets_tincs_answer(string request, string answer)
    {
        await _alpha.Daemon.StartAndWaitAsync();
        using ControlSocketClient client = _alpha.Open();
        client.Send(request);
        Assert.Equal(answer, client.Line());
    }
}
