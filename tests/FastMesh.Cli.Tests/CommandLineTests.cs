using FastMesh.Cli.Config;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.DataPath;
using FsCheck;
using FsCheck.Fluent;

namespace FastMesh.Cli.Tests;

/// <summary>The spellings of getopt_long and tincd's messages, as tincd 1.0.36 takes and gives them.</summary>
public class CommandLineTests
{
    [Theory]
    [InlineData("-n master", "master")]
    [InlineData("-nmaster", "master")]
    [InlineData("--net=master", "master")]
    [InlineData("--net master", "master")]
    [InlineData("--ne master", "master")]
    [InlineData("--ne=master", "master")]
    [InlineData("-Dnmaster", "master")]
    [InlineData("-DLn master", "master")]
    [InlineData("-n=master", "=master")]
    [InlineData("-n -D", "-D")]
    [InlineData("-n --", "--")]
    [InlineData("-n .", null)]
    [InlineData("-n . -n a", "a")]
    [InlineData("-D", null)]
    public void Net_name(string line, string? expected) => Assert.Equal(expected, Parse(line).NetName);

    [Theory]
    [InlineData("", null)]
    [InlineData("-d", 1)]
    [InlineData("-d -d", 2)]
    [InlineData("-dd", 0)] // the second d is a value, and no number
    [InlineData("-d5", 5)]
    [InlineData("-d 5", 5)]
    [InlineData("-d 5x", 5)]
    [InlineData("-d foo", 0)]
    [InlineData("-d5 -d", 6)]
    [InlineData("-d -d5", 5)]
    [InlineData("-d -D", 1)]
    [InlineData("--debug", 1)]
    [InlineData("--debug=5", 5)]
    [InlineData("--debug 5", 5)]
    [InlineData("--d=5", 5)]
    [InlineData("-DLd3", 3)]
    [InlineData("-DLd 3", 3)]
    [InlineData("-d --", 1)]
    public void Debug_level(string line, int? expected) => Assert.Equal(expected, Parse(line).DebugLevel);

    [Theory]
    [InlineData("-K", 2048)]
    [InlineData("-K4096", 4096)]
    [InlineData("-K 4096", 4096)]
    [InlineData("-K 515", 512)]
    [InlineData("--generate-keys", 2048)]
    [InlineData("--generate-keys=1024", 1024)]
    [InlineData("--generate-keys 1024", 1024)]
    [InlineData("--gen=8192x", 8192)]
    [InlineData("-K -n x", 2048)]
    public void Key_bits(string line, int expected) => Assert.Equal(expected, Parse(line).KeyBits);

    [Theory]
    [InlineData("-k", 15)]
    [InlineData("-kHUP", 1)]
    [InlineData("-k USR1", 10)]
    [InlineData("-khup", 1)]
    [InlineData("--kill", 15)]
    [InlineData("--kill=KILL", 9)]
    [InlineData("--kill usr2", 12)]
    [InlineData("-k INT", 2)]
    [InlineData("-k ALRM", 14)]
    [InlineData("-k WINCH", 28)]
    [InlineData("-k ABRT", 6)]
    [InlineData("-k 17", 17)]
    [InlineData("-k -n x", 15)]
    [InlineData("-k HUP -k TERM", 15)]
    public void Signals(string line, int expected) => Assert.Equal(expected, Parse(line).Signal);

    [Theory]
    [InlineData("--logfile", null)]
    [InlineData("--logfile F", "F")]
    [InlineData("--logfile=F", "F")]
    [InlineData("--log=F", "F")]
    [InlineData("--logfile --logfile=F", "F")]
    [InlineData("--logfile -D", null)]
    public void Log_file(string line, string? expected)
    {
        Assert.True(Parse(line).LogToFile);
        Assert.Equal(expected, Parse(line).LogFile);
    }

    [Fact]
    public void Every_other_option_in_one_line()
    {
        CommandLine line = Parse("-L -R -U nobody -U tinc --pidfile P -c C --bypass-security --workers 3 --cpus 0-2,6,1 -o A=b --option H.C=d");
        Assert.True(line.LockMemory && line.ChangeRoot && line.BypassSecurity && !line.Foreground);
        Assert.Equal(("tinc", "P", "C", 3), (line.User, line.PidFile, line.ConfigDirectory, line.Workers));
        Assert.Equal([0, 1, 2, 6], line.Cpus);
        Assert.Equal([new("A", "b", null, 1), new("H.C", "d", null, 2)], line.Overrides);
    }

    /// <summary>Commands are told with them how to go about it; all else that stands after a command is its own.</summary>
    [Fact]
    public void Options_for_commands_may_stand_after_the_command_too()
    {
        CommandLine line = Parse("-n net check --strict --json extra --timeout 7 --batch --force -D --workers");
        Assert.Equal(("check", 7), (line.Command, line.Timeout.TotalSeconds));
        Assert.Equal(["extra", "-D", "--workers"], line.Arguments);
        Assert.True(line.Strict && line.Json && line.Batch && line.Force && !line.Foreground);
        Assert.Equal(9, Parse("adopt --timeout=9").Timeout.TotalSeconds);
    }

    [Theory]
    [InlineData("", Offloads.All)]
    [InlineData("--no-offload -D", Offloads.None)]
    [InlineData("--no-offload=uso", Offloads.All & ~Offloads.Uso)]
    [InlineData("--no-offload gso,gro --no-of=ecn", Offloads.All & ~(Offloads.Gso | Offloads.Gro | Offloads.TsoEcn))]
    [InlineData("--no", Offloads.All)] // tincd's --no-detach, as ever
    public void Offloads_left_out(string line, Offloads expected) => Assert.Equal(expected, Parse(line).Offloads);

    [Theory]
    [InlineData("", CryptoChoice.Automatic)]
    [InlineData("--crypto openssl", CryptoChoice.OpenSsl)]
    [InlineData("--crypto=openssl --crypto=ipsec-mb", CryptoChoice.IpsecMb)]
    [InlineData("--crypto=openssl --crypto=auto", CryptoChoice.Automatic)]
    public void Library(string line, CryptoChoice expected) => Assert.Equal(expected, Parse(line).Crypto);

    [Theory]
    [InlineData("", PacketIo.Auto)]
    [InlineData("--io auto", PacketIo.Auto)]
    [InlineData("--io=uring", PacketIo.Uring)]
    [InlineData("--io uring --io mmsg", PacketIo.Mmsg)]
    public void Packet_io(string line, PacketIo expected) => Assert.Equal(expected, Parse(line).Io);

    [Theory]
    [InlineData("", 1)]
    [InlineData("--workers 3", 3)]
    [InlineData("--cpus 1,4-6", 4)]
    [InlineData("--cpus 0-3 --workers 2", 2)]
    [InlineData("--cpus 0-3 --workers auto", 4)]
    [InlineData("--workers 3 --workers=1", 1)]
    public void Workers(string line, int expected) => Assert.Equal(expected, Parse(line).Workers);

    /// <summary>A machine with two processors must not get slower; the reference's advice is half of them (linux-dataplane reference, 4.3).</summary>
    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 1)]
    [InlineData(3, 1)]
    [InlineData(4, 2)]
    [InlineData(16, 8)]
    [InlineData(192, 8)]
    public void Workers_by_themselves_are_one_for_every_two_processors(int processors, int expected)
        => Assert.Equal(expected, DataPlaneSettings.ShardsFor(processors));

    [Fact]
    public void An_override_follows_the_grammar_of_a_configuration_line()
    {
        Assert.Null(CommandLine.TryParse(["-o", "Device = a b  ", "-oPort 1", "--option=A==b", "-o", "-D=1"], out CommandLine line));
        Assert.Equal(
            [new("Device", "a b", null, 1), new("Port", "1", null, 2), new("A", "=b", null, 3), new ConfigEntry("-D", "1", null, 4)],
            line.Overrides);
    }

    [Theory]
    [InlineData("--foo", "fastmesh: unrecognized option '--foo'")]
    [InlineData("--foo=1", "fastmesh: unrecognized option '--foo=1'")]
    [InlineData("-x", "fastmesh: invalid option -- 'x'")]
    [InlineData("-Dx", "fastmesh: invalid option -- 'x'")]
    [InlineData("-n", "fastmesh: option requires an argument -- 'n'")]
    [InlineData("-Dn", "fastmesh: option requires an argument -- 'n'")]
    [InlineData("--net", "fastmesh: option '--net' requires an argument")]
    [InlineData("--p", "fastmesh: option '--pidfile' requires an argument")]
    [InlineData("--version=3", "fastmesh: option '--version' doesn't allow an argument")]
    [InlineData("--no=1", "fastmesh: option '--no-detach' doesn't allow an argument")]
    [InlineData("--n .", "fastmesh: option '--n' is ambiguous; possibilities: '--net' '--no-detach'")]
    [InlineData("foo", "fastmesh: unrecognized argument 'foo'")]
    [InlineData("foo -D --version", "fastmesh: unrecognized argument 'foo'")]
    [InlineData("- -k", "fastmesh: unrecognized argument '-'")]
    [InlineData("-- --version", "fastmesh: unrecognized argument '--version'")]
    [InlineData("-n a -n b", "Only one netname can be given.")]
    [InlineData("-c a -c b", "Only one configuration directory can be given.")]
    [InlineData("--lo=a --lo=b", "Only one logfile can be given.")]
    [InlineData("--pid=a --pid=b", "Only one pidfile can be given.")]
    [InlineData("-kFOO", "Invalid argument `FOO'; SIGNAL must be a number or one of HUP, TERM, KILL, USR1, USR2, WINCH, INT or ALRM.")]
    [InlineData("-k QUIT", "Invalid argument `QUIT'; SIGNAL must be a number or one of HUP, TERM, KILL, USR1, USR2, WINCH, INT or ALRM.")]
    [InlineData("-k 0", "Invalid argument `0'; SIGNAL must be a number or one of HUP, TERM, KILL, USR1, USR2, WINCH, INT or ALRM.")]
    [InlineData("-K 100", "Invalid argument `100'; BITS must be a number equal to or greater than 512.")]
    [InlineData("-K abc", "Invalid argument `abc'; BITS must be a number equal to or greater than 512.")]
    [InlineData("-K -5", "fastmesh: invalid option -- '5'")]
    [InlineData("-K 100000", "Invalid argument `100000'; BITS must be at most 8192: no tinc node can use a larger key.")]
    [InlineData("-o foo", "No value for variable `foo' in command line option 1")]
    [InlineData("-o A=b -o foo=", "No value for variable `foo' in command line option 2")]
    [InlineData("-o =", "No value for variable `' in command line option 1")]
    [InlineData("adopt --timeout", "fastmesh: option '--timeout' requires an argument")]
    [InlineData("adopt --timeout=0", "Invalid argument `0'; --timeout takes seconds from 1 to 86400.")]
    [InlineData("status --json=x", "fastmesh: option '--json' doesn't allow an argument")]
    [InlineData("--workers 0", "Invalid argument `0'; --workers takes a number from 1 to 256, or auto.")]
    [InlineData("--crypto rot13", "Invalid argument `rot13'; --crypto takes auto, ipsec-mb or openssl.")]
    [InlineData("--io epoll", "Invalid argument `epoll'; --io takes auto, uring or mmsg.")]
    [InlineData("--workers many", "Invalid argument `many'; --workers takes a number from 1 to 256, or auto.")]
    [InlineData("--no-offload=gso,foo", "Invalid argument `gso,foo'; --no-offload takes a list of vnet, csum, tso, ecn, uso, gso, gro, or nothing for all.")]
    [InlineData("--cpus 3-1", "Invalid argument `3-1'; --cpus takes processor numbers and ranges such as 0-3,6.")]
    [InlineData("--cpus 1,", "Invalid argument `1,'; --cpus takes processor numbers and ranges such as 0-3,6.")]
    [InlineData("--cpus 99999999999", "Invalid argument `99999999999'; --cpus takes processor numbers and ranges such as 0-3,6.")]
    public void Errors_name_what_is_wrong(string line, string expected)
        => Assert.Equal(expected, CommandLine.TryParse(Split(line), out _));

    [Fact]
    public void Any_arguments_parse_or_give_one_line_of_error()
    {
        Gen<string> piece = Gen.Elements(
            "-", "--", "-d", "-K", "-k", "-n", "-o", "=", "5", "--net", "--logfile", "--workers", "--cpus", "0-3", ",", "HUP", "A=b", "\u00e9", "", ".", "x");
        Gen<string> argument = piece.ArrayOf().Select(pieces => string.Concat(pieces.Take(4)));
        Prop.ForAll(argument.ArrayOf().ToArbitrary(), arguments =>
        {
            string? error = CommandLine.TryParse(arguments, out CommandLine line);
            return line is not null && (error is null || (error.Length > 0 && !error.Contains('\n')));
        }).Check(FsCheck.Config.QuickThrowOnFailure.WithMaxTest(3000).WithEndSize(8));
    }

    private static CommandLine Parse(string line)
    {
        Assert.Null(CommandLine.TryParse(Split(line), out CommandLine commandLine));
        return commandLine;
    }

    private static string[] Split(string line) => line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
