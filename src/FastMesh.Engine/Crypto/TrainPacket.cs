namespace FastMesh.Engine.Crypto;

/// <summary>
/// One packet of a train that is encrypted together: header and payload are one plaintext that lies in two places, so a super-packet is
/// cut without copying it. Offsets count from the spans that the train is handed over with.
/// </summary>
internal struct TrainPacket
{
    /// <summary>First byte of the header.</summary>
    public int Header;

    /// <summary>Bytes of the header, at most <see cref="CbcTrain.MaxHeaderLength"/>.</summary>
    public int HeaderLength;

    /// <summary>First byte of the payload.</summary>
    public int Payload;

    /// <summary>Bytes of the payload, which continues the header.</summary>
    public int PayloadLength;

    /// <summary>Where the first byte of the result goes.</summary>
    public int Output;

    /// <summary>Bytes of the result, filled in by sealing.</summary>
    public int OutputLength;

    /// <summary>Whether the transport checksum covers only the pseudo header (<see cref="PacketSealer.TakesPartialChecksums"/>).</summary>
    public bool HasPartialChecksum;

    /// <summary>Bytes of plaintext.</summary>
    public readonly int Length => HeaderLength + PayloadLength;
}
