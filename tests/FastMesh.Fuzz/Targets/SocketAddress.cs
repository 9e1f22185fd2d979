using FastMesh.Engine.Wire;

namespace FastMesh.Fuzz.Targets;

/// <summary>Socket addresses as the kernel hands them over, cut anywhere.</summary>
internal sealed class SocketAddress : FuzzTarget
{
    public override int MaxLength => 40;

    public override IEnumerable<byte[]> Seeds =>
        [Convert.FromHexString("0200028FC00002010000000000000000"), Convert.FromHexString("0A00028F00000000FE80000000000000000000000000000103000000")];

    public override void Run(Span<byte> input)
    {
        var endpoint = Endpoint.FromSockaddr(input);
        if (!endpoint.IsSet)
            return;
        byte[] written = new byte[Endpoint.MaxSockaddrLength];
        int length = endpoint.WriteSockaddr(written);
        if (Endpoint.FromSockaddr(written.AsSpan(0, length)) != endpoint)
            throw new InvalidOperationException($"{endpoint} does not survive being written");
    }
}
