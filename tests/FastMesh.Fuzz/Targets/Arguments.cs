using System.Text;
using FastMesh.Cli;

namespace FastMesh.Fuzz.Targets;

/// <summary>Command lines, one word per line of input: understood, or refused with a text, never anything else.</summary>
internal sealed class Arguments : FuzzTarget
{
    public override int MaxLength => 300;

    public override IEnumerable<byte[]> Seeds =>
    [
        "-n\nmaster\n-d5\n-D"u8.ToArray(),
        "--net=master\n--debug=3\n--logfile\n--pidfile=/run/x\n-LRU\nnobody"u8.ToArray(),
        "-K4096\n-c\n/tmp/x\n--workers\n2\n--cpus=0-1,3\n-oPort=655\n--bypass-security\n--version"u8.ToArray(),
        "-kHUP"u8.ToArray(), "-k\nUSR1"u8.ToArray(), "--generate-keys"u8.ToArray(), "-DLd3"u8.ToArray(),
    ];

    public override void Run(Span<byte> input)
    {
        string? error = CommandLine.TryParse(Encoding.UTF8.GetString(input).Split('\n'), out CommandLine line);
        if (error is { Length: 0 } || line is null)
            throw new InvalidOperationException("neither understood nor explained");
    }
}
