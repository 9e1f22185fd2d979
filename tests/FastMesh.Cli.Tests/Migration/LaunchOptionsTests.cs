using FastMesh.Cli.Migration;

namespace FastMesh.Cli.Tests.Migration;

/// <summary>From the command line of a running tincd to ours.</summary>
public class LaunchOptionsTests
{
    [Theory]
    [InlineData("-n mesh -D", "", "--net=mesh")]
    [InlineData("-nmesh -c net -Dd3 --logfile", "", "--net=mesh --config=/srv/net --debug=3 --logfile")]
    [InlineData("-n mesh --pidfile run/pid --logfile=log -U nobody -R -L", "", "--net=mesh --pidfile=/srv/run/pid --logfile=/srv/log --user=nobody --chroot --mlock")]
    [InlineData("-n mesh -s -o PingTimeout=3 -o a.Port=5", "", "--net=mesh --option=PingTimeout=3 --option=a.Port=5")]
    [InlineData("-n mesh -d2 -o Mode=hub", "-n mesh --workers 2 -o Mode=switch --timeout=5 --json adopt", "--debug=2 --option=Mode=hub --net=mesh --workers=2 --option=Mode=switch")]
    [InlineData("-n mesh --pidfile=a", "--pidfile=/run/b adopt", "--net=mesh --pidfile=/run/b")]
    public void Options_of_tincd_go_over_with_absolute_paths_and_ours_win(string tincd, string ours, string expected)
    {
        Assert.Null(LaunchOptions.Parse(tincd.Split(' '), out List<(OptionSpec Option, string? Value)> options));
        Assert.Null(CommandLine.TryParse(ours.Split(' ', StringSplitOptions.RemoveEmptyEntries), out CommandLine line));
        List<string> joined = LaunchOptions.Join(options, "/srv", line.Given);
        Assert.Equal(expected, string.Join(' ', joined));
        Assert.Null(CommandLine.TryParse(joined, out _));
    }

    [Fact]
    public void What_is_not_understood_is_named()
        => Assert.Contains("'--no-such'", LaunchOptions.Parse(["--no-such"], out _));
}
