using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using FastMesh.Tests;

namespace FastMesh.Cli.Tests.Check;

/// <summary>The program itself: what its check calls clean starts, what it refuses to start its check has an error for.</summary>
public class CheckProgramTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    [Theory]
    [InlineData("", true)]
    [InlineData("Tport = 5", true)]
    [InlineData("ConnectTo = nobody", true)]
    [InlineData("PingInterval = x", true)]
    [InlineData("Mode = x", false)]
    [InlineData("Mode", false)]
    [InlineData("Subnet = 10.0.0.1/8", false)]
    [InlineData("PrivateKeyFile = none", false)]
    [InlineData("ExperimentalProtocol = yes", false)]
    [InlineData("ListenAddress = 192.0.2.1 1", false)] // an address that this machine does not have
    [InlineData("Device = /run/x", false, "fd")]
    [InlineData("Device = a", false, "multicast")]
    public void Check_and_start_agree(string line, bool starts, string device = "dummy")
    {
        using CheckFixture fixture = new();
        string bind = line.StartsWith("ListenAddress", StringComparison.Ordinal) ? "" : "BindToAddress = 127.0.0.1\n";
        fixture.Net.Write("tinc.conf", $"Name = a\nDeviceType = {device}\nPort = 0\n{bind}{line}\n");
        Assert.Equal(starts, Run(fixture, "check").Code == 0);
        Assert.Equal(starts, Starts(fixture));
    }

    [Fact]
    public void Only_with_strict_do_warnings_fail()
    {
        using CheckFixture fixture = new("Port = 0\nBindToAddress = 127.0.0.1\nTport = 5\n");
        Result result = Run(fixture, "check");
        Assert.Equal((0, ""), (result.Code, result.Error));
        Assert.Equal(
            $"{fixture.Net["tinc.conf"]}:5: warning: Unknown variable Tport ignored; did you mean Port? Fix: write Port.\n0 errors, 1 warning, 0 notes in {fixture.Net.Root}\n",
            result.Output);
        Assert.Equal(1, Run(fixture, "--strict", "check").Code);
    }

    [Fact]
    public void Json_has_the_same_findings()
    {
        using CheckFixture fixture = new("Port = 0\nBindToAddress = 127.0.0.1\nMode = x\n");
        Result result = Run(fixture, "--json", "check");
        JsonSchemaCheck.Validate("check.json", result.Output);
        using JsonDocument json = JsonDocument.Parse(result.Output);
        Assert.Equal(1, result.Code);
        Assert.Equal(1, json.RootElement.GetProperty("errors").GetInt32());
        JsonElement finding = Assert.Single(json.RootElement.GetProperty("findings").EnumerateArray());
        Assert.Equal(("error", 5), (finding.GetProperty("severity").GetString(), finding.GetProperty("line").GetInt32()));
    }

    [Fact]
    public void Text_of_a_file_cannot_command_the_terminal()
    {
        using CheckFixture fixture = new("\u001b[2Jevil = 1\n");
        Assert.DoesNotContain(Run(fixture, "check").Output, c => char.IsControl(c) && c != '\n');
    }

    [Fact]
    public void A_port_that_another_program_uses_is_named_with_the_program()
    {
        using Socket other = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        other.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        other.Listen();
        int port = ((IPEndPoint)other.LocalEndPoint!).Port;
        using CheckFixture fixture = new($"BindToAddress = 127.0.0.1\nPort = {port}\n");
        Result result = Run(fixture, "check");
        Assert.Equal(1, result.Code);
        Assert.Contains($"{fixture.Net["tinc.conf"]}:4: warning: Can't bind to 127.0.0.1 port {port}/tcp: Address already in use.", result.Output);
        Assert.Contains($"(process {Environment.ProcessId}), or give this node another Port.", result.Output);
    }

    [Fact]
    public void Names_without_an_address_are_found()
    {
        using CheckFixture fixture = new("Port = 0\nBindToAddress = 127.0.0.1\nConnectTo = b\n");
        fixture.WriteHost("b", "Address = 127.0.0.1\nAddress = fastmesh.invalid 655\n");
        Assert.Contains($"{fixture.Net["hosts/b"]}:2: warning: No address of fastmesh.invalid can be found: ", Run(fixture, "check").Output);
    }

    private static bool Starts(CheckFixture fixture)
    {
        using Process daemon = Start(fixture, "-D");
        List<string> lines = [];
        bool isReady = false;
        while (!isReady && daemon.StandardError.ReadLine() is { } line)
        {
            lines.Add(line);
            isReady = line == "Ready";
        }

        Run(fixture, "-k");
        Assert.True(daemon.WaitForExit(s_patience), string.Join('\n', lines));
        return isReady && daemon.ExitCode == 0;
    }

    private static Result Run(CheckFixture fixture, params string[] arguments)
    {
        using Process process = Start(fixture, arguments);
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        string error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return new Result(process.ExitCode, output.Result, error);
    }

    private static Process Start(CheckFixture fixture, params string[] arguments) => Process.Start(
        new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "fastmesh"), ["-c", fixture.Net.Root, "--pidfile", fixture.Net["pid"], .. arguments])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;

    private sealed record Result(int Code, string Output, string Error);
}
