using FastMesh.Cli.Config;

namespace FastMesh.Fuzz.Targets;

/// <summary>
/// tinc.conf and host files. Whatever is read must name a line that exists and give a variable and a value without blanks
/// around them, and reading stops only with an error that names the file.
/// </summary>
internal sealed class ConfigText : FuzzTarget
{
    public override int MaxLength => 5000;

    public override IEnumerable<byte[]> Seeds =>
    [
        "Name = alpha\nConnectTo=beta\nMode switch\n# comment\n\nPort\t=\t655\r\n"u8.ToArray(),
        "Address = 192.0.2.1 655\nSubnet = 10.1.0.0/16#5\n-----BEGIN RSA PUBLIC KEY-----\nMIIB\n-----END RSA PUBLIC KEY-----\nWeight = 3"u8.ToArray(),
        [.. Enumerable.Repeat((byte)'x', 2100), (byte)'=', (byte)'1'],
    ];

    public override void Run(Span<byte> input)
    {
        var file = ConfigFile.Parse(input, "fuzz.conf");
        int lines = 1 + input.Count((byte)'\n') + (input.Length / ConfigFile.MaxLineLength);
        int last = 0;
        foreach (ConfigEntry entry in file.Entries)
        {
            if (entry.Line <= last || entry.Line > lines || entry.Value.Length == 0 || entry.Value.Contains('\n', StringComparison.Ordinal))
                throw new InvalidOperationException($"line {entry.Line} of {lines}: '{entry.Variable}' '{entry.Value}'");
            last = entry.Line;
        }

        if (file.Error?.Contains("fuzz.conf", StringComparison.Ordinal) == false)
            throw new InvalidOperationException($"an error without its file: {file.Error}");
    }
}
