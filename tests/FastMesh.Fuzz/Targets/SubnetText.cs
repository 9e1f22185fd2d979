using System.Text;
using FastMesh.Engine.Wire;

namespace FastMesh.Fuzz.Targets;

/// <summary>Subnet texts of ADD_SUBNET and host files: what is accepted must survive being written and read again.</summary>
internal sealed class SubnetText : FuzzTarget
{
    public override int MaxLength => 1100;

    public override IEnumerable<byte[]> Seeds =>
        ["10.1.0.0/16#10"u8.ToArray(), "0:1a:b:c:d:e#10"u8.ToArray(), "fd00:0:0:0:0:0:0:0/64#10"u8.ToArray(), "::ffff:192.0.2.1/128"u8.ToArray()];

    public override void Run(Span<byte> input)
    {
        if (!Subnet.TryParse(Encoding.Latin1.GetString(input), out Subnet subnet))
            return;
        if (!Subnet.TryParse(subnet.ToString(), out Subnet again) || again != subnet)
            throw new InvalidOperationException($"{subnet} is read back as {again}");
    }
}
