using System.Text;
using FastMesh.Cli;
using FastMesh.Cli.Check;
using FastMesh.Cli.Config;

namespace FastMesh.Fuzz.Targets;

/// <summary>
/// The check of a configuration directory: the input is cut at its 0xFF bytes into tinc.conf, the own host file, that of another node and a script. Whatever
/// they hold, the check ends, and each finding names a file of the directory, or none, and says something in one line.
/// </summary>
internal sealed class CheckedDirectory : FuzzTarget
{
    private static readonly string[] s_files = ["tinc.conf", "hosts/a", "hosts/b", "tinc-up"];

    /// <summary>Files are slow.</summary>
    public override int Share => 50;

    public override IEnumerable<byte[]> Seeds =>
    [
        Join("Name = a\nDeviceType = dummy\nConnectTo = b\n", "Subnet = 10.1.0.0/16\n", "Address = 192.0.2.1\nSubnet = 10.1.2.0/24#5\n", "#!/bin/sh\n"),
        Join("Name = a\nMode = switch\nPort = 0\nCipher = des\nMACLength = 1\nInterface = x\n", "PublicKey = 12\n", "Ed25519PublicKey = x\n", "ip"),
        Join("Name = $HOST\nPingTimeout = 9999999999 x\nSubnet = ::/0\nSubnet = ::/0\nProxy = socks5 a b\n", "PrivateKey = 5\nPublicKey = 7\n", "PublicKeyFile = .\n", "#!\r\n"),
    ];

    public override void Run(Span<byte> input)
    {
        string root = Directory.CreateTempSubdirectory("fastmesh-fuzz-").FullName;
        try
        {
            Check(root, input);
        }
        finally
        {
            Directory.Delete(root, recursive: true);
        }
    }

    private static void Check(string root, Span<byte> input)
    {
        Directory.CreateDirectory(Path.Combine(root, "hosts"));
        string[] parts = Encoding.Latin1.GetString(input).Split('\u00ff', s_files.Length);
        for (int i = 0; i < s_files.Length; i++)
            File.WriteAllText(Path.Combine(root, s_files[i]), i < parts.Length ? parts[i] : string.Empty, Encoding.Latin1);
        CommandLine.TryParse(["-c", root, "--pidfile", Path.Combine(root, "pid")], out CommandLine line);
        foreach (Finding finding in ConfigCheck.Run(NetPaths.From(line), line, looksOutside: false))
        {
            if (finding.Problem.Length == 0 || finding.Fix.Length == 0 || finding.Line < 0 || finding.Problem.Contains('\n', StringComparison.Ordinal))
                throw new InvalidOperationException($"a finding that says nothing: {finding}");
        }
    }

    private static byte[] Join(params string[] parts) => Encoding.Latin1.GetBytes(string.Join('\u00ff', parts));
}
