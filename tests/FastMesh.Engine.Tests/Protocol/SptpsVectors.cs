using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>The inputs and results of the full handshakes in the tinc 1.1 reference, chapter 12.</summary>
internal static class SptpsVectors
{
    public const string EphemeralA = "2543b92ff1095511476adc8369db6ddc933665a11978dda1404ee1066ca9559d";
    public const string EphemeralB = "174553b456dddfc6908ecab1c101fe6ab21e2baa0617795b7d43a63482993fd5";

    public const string StreamSigA =
        "b89888c76c21db098e14e3363b962f686aa26936712813b3a7e49ec536f30558c89afcce71fab159a6508cb17573fb9acd8a4f99485f4f285ba79f3f0ee3840f";

    public const string StreamSigB =
        "f65130754dcf9e618c0e4b28a906247a743d91727f278284e8b35fc1c861d810289c30b11fcd3cc221c28398f6074d4a34d6353f9d0cfbe131b00288380c8d01";

    public const string StreamKey0 =
        "64685c7fb8d64f5ad3cd729ad784dcb56bbe2e587f7426e2cf2f43222198175988a5ebc74a5808703126fa726eb48bdcfdf1514f3fdab8eebc10b87f5c250c9b";

    public const string StreamKey1 =
        "f09eefea3d0f44147bf369fe0c65686e52ae3d459b1c3d56376e8fea99f8bda74ec9f4eab82a8646b01a3813473f8c5c2603122a9897b4e102826f900c986a02";

    public const string DatagramSigA =
        "6db91ff33049e3fb37b116f12ca95bce4fd28e481fb3512718bbd9b096771b7b81056676da8fe087e16e1a3157d0465d9356b717d513d507753a7d4634d2fc0c";

    public const string DatagramSigB =
        "1b89c2030d8d1d9c54925c94c89f10afe6f634a5cb14a9d5c676a1d1c25ccc741f00684ec3eeb88ce11dac8b23ba5284ab682c6d6a8229c49d741597f01b4a0a";

    public static Ed25519Identity A { get; } = Ed25519Identity.FromSeed(Run(0x00, 32));

    public static Ed25519Identity B { get; } = Ed25519Identity.FromSeed(Run(0x20, 32));

    public static byte[] KexA => [0, .. Run(0x80, 32), .. Convert.FromHexString(EphemeralA)];

    public static byte[] KexB => [0, .. Run(0xa0, 32), .. Convert.FromHexString(EphemeralB)];

    /// <summary>The handshake of alice, the initiator, or bob, with the ephemeral keys and nonces of the vectors.</summary>
    public static SptpsHandshake Handshake(bool initiator, string use) => new(
        initiator ? A : B, (initiator ? B : A).Public, initiator, SptpsHandshake.Label(use, "alice", "bob"),
        new Numbers([.. Run((byte)(initiator ? 0x40 : 0x60), 32), .. Run((byte)(initiator ? 0x80 : 0xa0), 32)]));

    /// <summary>Consecutive byte values.</summary>
    public static byte[] Run(byte first, int count) => [.. Enumerable.Range(first, count).Select(value => (byte)value)];

    public static byte[] Record(byte type, string hex)
    {
        byte[] data = Convert.FromHexString(hex);
        return [(byte)(data.Length >> 8), (byte)data.Length, type, .. data];
    }

    /// <summary>Gives the listed bytes in order, then the same again.</summary>
    public sealed class Numbers(byte[] bytes) : IRandomSource
    {
        private int _at;

        public void Fill(Span<byte> target)
        {
            foreach (ref byte value in target)
                value = bytes[_at++ % bytes.Length];
        }
    }
}
