using System.Security.Cryptography;
using FastMesh.Cli.Check;
using FastMesh.Cli.Commands;
using FastMesh.Cli.Config;
using FastMesh.Engine.Crypto;

namespace FastMesh.Cli.Tests.Check;

/// <summary>A directory of node <c>a</c> with which nothing is wrong; tests spoil it.</summary>
internal sealed class CheckFixture : IDisposable
{
    public static readonly string PrivatePem, PublicPem, OtherPublicPem, ShortPublicPem;
    public static readonly Ed25519Identity Ed25519 = Ed25519Identity.Generate(new SystemRandom());

    static CheckFixture()
    {
        using RSA rsa = RSA.Create(2048), other = RSA.Create(2048), small = RSA.Create(1024);
        (PrivatePem, PublicPem) = (rsa.ExportRSAPrivateKeyPem(), rsa.ExportRSAPublicKeyPem() + "\n");
        (OtherPublicPem, ShortPublicPem) = (other.ExportRSAPublicKeyPem() + "\n", small.ExportRSAPublicKeyPem() + "\n");
    }

    /// <summary>Writes tinc.conf (after <c>Name = a</c> and <c>DeviceType = dummy</c>) and the own host file (before its key).</summary>
    public CheckFixture(string server = "", string host = "")
    {
        Net.Write("tinc.conf", $"Name = a\nDeviceType = dummy\n{server}");
        Net.Write("rsa_key.priv", PrivatePem, AtomicFile.OwnerOnly);
        Net.Write("hosts/a", $"{host}\n{PublicPem}");
        Net.Write("tinc-up", "#!/bin/sh\n", AtomicFile.Executable);
    }

    public TemporaryDirectory Net { get; } = new();

    /// <summary>Writes the host file of another node, with a good key.</summary>
    public void WriteHost(string name, string lines = "") => Net.Write($"hosts/{name}", $"{lines}\n{OtherPublicPem}");

    /// <summary>What is found, as printed, with the directory's path left out and without the fixes.</summary>
    public string[] Find(params string[] options) => [.. Report(options).Select(f => Shorten(f.ToString()).Split(" Fix: ")[0])];

    /// <summary>The fixes alone.</summary>
    public string[] Fixes() => [.. Report().Select(f => Shorten(f.Fix))];

    /// <summary>All findings.</summary>
    public IReadOnlyList<CheckFinding> Report(params string[] options)
    {
        Assert.Null(CommandLine.TryParse(["-c", Net.Root, "--pidfile", Net["pid"], .. options], out CommandLine line));
        NetPaths paths = NetPaths.From(line);
        return CheckReport.Of(paths, ConfigCheck.Run(paths, line, looksOutside: false)).Findings;
    }

    public void Dispose() => Net.Dispose();

    private string Shorten(string text) => text.Replace(Net.Root + "/", string.Empty, StringComparison.Ordinal).Replace(Net.Root, ".", StringComparison.Ordinal);
}
