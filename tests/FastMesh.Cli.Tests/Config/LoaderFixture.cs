using System.Security.Cryptography;
using FastMesh.Cli.Config;
using FastMesh.Cli.Logging;
using FastMesh.Engine;
using FastMesh.Engine.Daemon;
using Microsoft.Extensions.Logging;

namespace FastMesh.Cli.Tests.Config;

/// <summary>A configuration directory with a key, and everything the loader said about it.</summary>
internal sealed class LoaderFixture : IDisposable
{
    public static readonly string PrivatePem, PublicPem;

    private readonly StringWriter _log = new();
    private readonly LoggerFactory _factory;

    static LoaderFixture()
    {
        using RSA rsa = RSA.Create(512);
        (PrivatePem, PublicPem) = (rsa.ExportRSAPrivateKeyPem(), rsa.ExportRSAPublicKeyPem());
    }

    /// <summary>Writes tinc.conf (after its first line, <c>Name = a</c>) and the own host file.</summary>
    public LoaderFixture(string server = "", string? host = "")
    {
        Net.Write("tinc.conf", $"Name = a\n{server}");
        Net.Write("rsa_key.priv", PrivatePem, UnixFileMode.UserRead);
        if (host is not null)
            Net.Write("hosts/a", host);
        _factory = new LoggerFactory([new DaemonLog(new ConsoleSink(_log), mirror: null, debugLevel: 0)]);
        Log = new EngineLog(_factory);
    }

    public TemporaryDirectory Net { get; } = new();

    public EngineLog Log { get; }

    /// <summary>What was logged so far, with the directory's path left out.</summary>
    public string[] Messages => [.. _log.ToString().Replace(Net.Root + "/", string.Empty).Split('\n', StringSplitOptions.RemoveEmptyEntries)];

    public ConfigLoader Loader(params string[] arguments)
    {
        Assert.Null(CommandLine.TryParse(["-c", Net.Root, .. arguments], out CommandLine line));
        return new ConfigLoader(NetPaths.From(line), line, Log);
    }

    public DaemonOptions? Load(params string[] arguments) => Loader(arguments).Load();

    public void Dispose()
    {
        _factory.Dispose();
        Net.Dispose();
    }
}
