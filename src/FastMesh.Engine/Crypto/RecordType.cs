namespace FastMesh.Engine.Crypto;

/// <summary>Types of the records that carry packets (tinc 1.1 reference, 6.1). Handshake records have type 128.</summary>
internal static class RecordType
{
    /// <summary>Router mode: an IP packet without Ethernet header.</summary>
    public const byte Packet = 0;

    /// <summary>Added if the data are compressed.</summary>
    public const byte Compressed = 1;

    /// <summary>Switch and hub mode: a whole Ethernet frame.</summary>
    public const byte Frame = 2;

    /// <summary>A probe of the path: a whole frame with ethertype 0.</summary>
    public const byte Probe = 4;

    /// <summary>
    /// FastMesh: added if the transport checksum covers only the pseudo header, uncomplemented, as in a virtio_net_hdr with NEEDS_CSUM. The tag protects
    /// the bytes, so both ends save a pass over them.
    /// </summary>
    public const byte PartialChecksum = 8;
}
