using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>What all shards need to know about the device; one object for all of them.</summary>
internal sealed class DeviceTraits(bool mergesTcp, bool mergesUdp, bool overwritesMac, MacAddress address)
{
    private ulong _address = address.Value;

    /// <summary>Whether the device takes TCP super-packets.</summary>
    public bool MergesTcp { get; } = mergesTcp;

    /// <summary>Whether the device takes UDP super-packets.</summary>
    public bool MergesUdp { get; } = mergesUdp;

    /// <summary>Whether frames for the device get <see cref="Address"/> as destination: router mode on a tap (tinc 1.0 reference, 6.7).</summary>
    public bool OverwritesMac { get; } = overwritesMac;

    /// <summary>
    /// "Our MAC": the interface's address, or the sender of the last ARP request or neighbour solicitation read from the device. Any shard
    /// may write it; the last one wins.
    /// </summary>
    public MacAddress Address
    {
        get => new(Volatile.Read(ref _address));
        set => Volatile.Write(ref _address, value.Value);
    }
}
