using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using FastMesh.Engine.Protocol;

namespace FastMesh.Cli.Tests;

/// <summary>The built program invites and joins over loopback, with somebody in between who can stop the conversation at any byte.</summary>
public sealed class JoinProgramTests : IDisposable
{
    // What the joining side sends (tinc 1.1 reference, 3.1, 9.4): ID, KEX, SIG, the cookie; then its key.
    private const int IdLength = 9 + 43, KexLength = 3 + 65, SigLength = 3 + 64, CookieLength = 19 + 18;
    private const int UpToCookie = IdLength + KexLength + SigLength + CookieLength;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(60);

    private readonly TemporaryDirectory _net = new();
    private Process? _daemon;

    public void Dispose()
    {
        _daemon?.Kill();
        _daemon?.WaitForExit();
        _daemon?.Dispose();
        _net.Dispose();
    }

    [Fact]
    public void A_node_joins_with_the_files_of_a_new_node()
    {
        InvitationUrl url = Invite();
        using Process join = Start("-c", _net["b"], "-b", "join", url.ToString());
        Assert.Equal("", Finish(join, out string error));
        Assert.True(join.ExitCode == 0, error);
        Assert.Equal(
            ["cache", "ed25519_key.priv", "hosts", "invitation-data", "rsa_key.priv", "tinc-up", "tinc.conf"],
            Directory.GetFileSystemEntries(_net["b"]).Select(p => Path.GetFileName(p)).Order(StringComparer.Ordinal));
        Assert.Equal("Name = beta\nConnectTo = alpha\n", _net.Read("b/tinc.conf"));
        string own = _net.Read("b/hosts/beta"); // begins with another port if 655 was taken at that moment
        Assert.StartsWith(_net.Read("a/hosts/beta"), own[own.IndexOf("Ed25519", StringComparison.Ordinal)..]);
        Assert.Contains("Address = 127.0.0.1", _net.Read("b/hosts/alpha"));
    }

    [Theory]
    [InlineData("TERM", IdLength)]
    [InlineData("INT", IdLength + KexLength)]
    [InlineData("TERM", UpToCookie)]
    public void A_join_that_is_ended_in_the_middle_leaves_nothing(string signal, int bytes)
    {
        using Interceptor between = new(Invite(), bytes);
        using Process join = Start("-c", _net["b"], "-b", "join", between.Url.ToString());
        between.WaitUntilHeld();
        using (Process kill = Process.Start("kill", [$"-{signal}", join.Id.ToString(CultureInfo.InvariantCulture)]))
            kill.WaitForExit();
        Finish(join, out _);
        Assert.NotEqual(0, join.ExitCode);
        Assert.False(Directory.Exists(_net["b"]));
        Assert.False(File.Exists(_net["a/hosts/beta"]));
    }

    [Fact]
    public void A_join_that_is_killed_leaves_no_node_and_the_next_one_succeeds()
    {
        using (Interceptor between = new(Invite(), UpToCookie))
        {
            using Process join = Start("-c", _net["b"], "-b", "join", between.Url.ToString());
            between.WaitUntilHeld();
            Poll(() => Directory.Exists(_net["b/hosts"])); // the file has come, and what is made of it is being written
            join.Kill();
            join.WaitForExit();
        }

        Assert.False(File.Exists(_net["b/tinc.conf"]) || File.Exists(_net["b/rsa_key.priv"]) || File.Exists(_net["b/hosts/beta"]));
        using Process again = Start("-c", _net["b"], "-b", "join", Invite().ToString());
        Finish(again, out string error);
        Assert.True(again.ExitCode == 0, error);
    }

    [Fact]
    public void An_inviter_that_falls_silent_is_given_up_after_five_seconds()
    {
        using Interceptor between = new(Invite(), UpToCookie);
        long start = Stopwatch.GetTimestamp();
        using Process join = Start("-c", _net["b"], "-b", "join", between.Url.ToString());
        between.WaitUntilHeld();
        Finish(join, out string error);
        Assert.True(Stopwatch.GetElapsedTime(start).TotalSeconds > 4.9, error);
        Assert.Contains("does not answer", error);
        Assert.Equal(1, join.ExitCode);
        Assert.False(Directory.Exists(_net["b"]));
    }

    /// <summary>Makes node alpha and its daemon, the first time, and an invitation for beta.</summary>
    private InvitationUrl Invite()
    {
        if (_daemon is null)
        {
            Assert.Equal(0, Run("-c", _net["a"], "init", "alpha").Code);
            _net.Write("a/tinc.conf", "Name = alpha\nDeviceType = dummy\nAddressFamily = ipv4\nBindToAddress = 127.0.0.1 0\n");
            _net.Write("a/hosts/alpha", "Address = 127.0.0.1\nPort = 0\n" + _net.Read("a/hosts/alpha"));
            _daemon = Start("-c", _net["a"], "--pidfile", _net["pid"], "-D");
            _daemon.ErrorDataReceived += (_, _) => { };
            _daemon.BeginErrorReadLine();
            Poll(HasAnnouncedItself);
        }

        (int code, string output, string error) = Run("-c", _net["a"], "--pidfile", _net["pid"], "invite", "beta");
        Assert.True(code == 0, error);
        Assert.True(InvitationUrl.TryParse(output.TrimEnd(), out InvitationUrl? url), output);
        return url;
    }

    private bool HasAnnouncedItself()
    {
        try
        {
            return File.Exists(_net["pid.socket"]) && _net.Read("pid").Contains(" port", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false; // it is being written
        }
    }

    private static (int Code, string Output, string Error) Run(params string[] arguments)
    {
        using Process process = Start(arguments);
        string output = Finish(process, out string error);
        return (process.ExitCode, output, error);
    }

    private static string Finish(Process process, out string error)
    {
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        error = process.StandardError.ReadToEnd();
        Assert.True(process.WaitForExit(s_patience));
        return output.Result;
    }

    private static Process Start(params string[] arguments)
    {
        ProcessStartInfo start = new(Path.Combine(AppContext.BaseDirectory, "fastmesh"), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        return Process.Start(start)!;
    }

    private static void Poll(Func<bool> condition) => Assert.True(SpinWait.SpinUntil(condition, s_patience));

    /// <summary>Passes a conversation with the inviter on, but of what the joining side says only so many bytes.</summary>
    private sealed class Interceptor : IDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly ManualResetEventSlim _held = new();
        private readonly TcpClient _inviter = new();
        private TcpClient? _joiner;

        public Interceptor(InvitationUrl url, int bytes)
        {
            _listener.Start();
            Url = url with { Address = new HostPort("127.0.0.1", $"{((IPEndPoint)_listener.LocalEndpoint).Port}") };
            new Thread(() => Relay(url.Address, bytes)) { IsBackground = true }.Start();
        }

        public InvitationUrl Url { get; }

        public void WaitUntilHeld() => Assert.True(_held.Wait(s_patience));

        public void Dispose()
        {
            _listener.Dispose();
            _inviter.Dispose();
            _joiner?.Dispose();
            _held.Dispose();
        }

        private void Relay(HostPort target, int bytes)
        {
            try
            {
                _joiner = _listener.AcceptTcpClient();
                _inviter.Connect(target.Host, int.Parse(target.Port, CultureInfo.InvariantCulture));
                NetworkStream from = _joiner.GetStream(), to = _inviter.GetStream();
                new Thread(() => Copy(to, from)) { IsBackground = true }.Start();
                byte[] buffer = new byte[bytes];
                for (int passed = 0; passed < bytes;)
                {
                    int count = from.Read(buffer, 0, bytes - passed);
                    if (count == 0)
                        return;
                    to.Write(buffer, 0, count);
                    passed += count;
                }

                _ = from.Read(buffer, 0, 1); // the first byte of what is held back
                _held.Set();
            }
            catch (Exception e) when (e is IOException or SocketException or ObjectDisposedException)
            {
                // One of the two went away, or the test is over.
            }
        }

        private static void Copy(NetworkStream from, NetworkStream to)
        {
            try
            {
                from.CopyTo(to);
            }
            catch (Exception e) when (e is IOException or ObjectDisposedException)
            {
                // As above.
            }
        }
    }
}
