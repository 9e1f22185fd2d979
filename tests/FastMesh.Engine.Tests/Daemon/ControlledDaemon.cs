using FastMesh.Engine.Daemon;

namespace FastMesh.Engine.Tests.Daemon;

/// <summary>The daemon alpha with a control socket, and with files that a test can change.</summary>
internal sealed class ControlledDaemon : IDisposable
{
    private readonly TemporaryDirectory _directory = new();

    public ControlledDaemon() => Daemon = new TestDaemon("alpha", options => options with
    {
        Control = new ControlSettings(SocketPath, text => Announced = text),
        Reread = () => Files,
    });

    public TestDaemon Daemon { get; }

    /// <summary>What a reload reads.</summary>
    public ConfigurationReading Files { get; set; } = new();

    /// <summary>What the pid file says of the socket.</summary>
    public string Announced { get; set; } = "";

    public string SocketPath => _directory["control.socket"];

    public string Cookie => Announced.Split(' ')[0];

    /// <summary>A client that has shown the cookie and read the greeting.</summary>
    public ControlSocketClient Open()
    {
        ControlSocketClient client = new(SocketPath);
        client.Send($"0 ^{Cookie} 0");
        Assert.Equal(2, client.Lines(2).Length);
        return client;
    }

    public void Dispose()
    {
        Daemon.Dispose();
        _directory.Dispose();
    }
}
