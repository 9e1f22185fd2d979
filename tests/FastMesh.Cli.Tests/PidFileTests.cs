using System.Globalization;

namespace FastMesh.Cli.Tests;

/// <summary>The pid file and the socket beside it (tinc 1.0 reference, 1.4; tinc 1.1 reference, 10.1).</summary>
public sealed class PidFileTests : IDisposable
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private readonly TemporaryDirectory _directory = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public void The_first_line_is_the_number_alone_and_the_second_what_control_clients_need()
    {
        PidFile file = new(_directory["pid"]);
        Assert.Null(file.Claim(out int running));
        Assert.Equal(0, running);
        string number = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        Assert.Equal($"{number}\n", _directory.Read("pid"));

        file.Announce("COOKIE 127.0.0.1 port655");
        Assert.Equal($"{number}\nCOOKIE 127.0.0.1 port655\n", _directory.Read("pid"));
        Assert.Equal(Environment.ProcessId, file.Read());
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(_directory["pid"]));
        file.Remove();
        Assert.False(File.Exists(_directory["pid"]));
        Assert.Throws<FileNotFoundException>(() => file.Announce("COOKIE")); // not for everybody to read
    }

    /// <summary>4194304 is above every number that Linux gives.</summary>
    [Fact]
    public void A_stale_file_that_everybody_may_read_does_not_stay_so()
    {
        PidFile file = new(_directory.Write("pid", "4194304\nAN OLD COOKIE 127.0.0.1 port655\n"));
        Assert.Null(file.Claim(out _));
        Assert.Equal(OwnerOnly, File.GetUnixFileMode(_directory["pid"]));
        Assert.Equal($"{Environment.ProcessId}\n", _directory.Read("pid"));
    }

    [Theory]
    [InlineData("\n")]
    [InlineData(" ")] // tincd 1.1
    public void Our_own_commands_find_the_port_in_it(string separator)
    {
        string path = _directory.Write("pid", $"4194304{separator}{new string('A', 64)} 127.0.0.1 port{separator.Trim('\n')}12655\n");
        Assert.Null(CommandLine.TryParse(["--pidfile", path], out CommandLine commandLine));
        Assert.Equal(12655, ControlClient.PortOf(NetPaths.From(commandLine)));
    }

    [Theory]
    [InlineData("-n vpn", "/run/tinc.vpn.pid", "/run/tinc.vpn.socket")]
    [InlineData("", "/run/tinc.pid", "/run/tinc.socket")]
    [InlineData("--pidfile /a/pid", "/a/pid", "/a/pid.socket")]
    [InlineData("--pidfile /a.pid/x", "/a.pid/x", "/a.pid/x.socket")]
    [InlineData("--pidfile /a/x.pid.pid", "/a/x.pid.pid", "/a/x.pid.socket")]
    public void The_socket_lies_beside_the_pid_file(string line, string pidFile, string socket)
    {
        Assert.Null(CommandLine.TryParse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries), out CommandLine commandLine));
        NetPaths paths = NetPaths.From(commandLine);
        Assert.Equal((pidFile, socket), (paths.PidFile, paths.ControlSocket));
    }
}
