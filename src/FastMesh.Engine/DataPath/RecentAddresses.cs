using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>Which Ethernet addresses were reported within the last second: a small cache that forgets on collision.</summary>
internal sealed class RecentAddresses
{
    private readonly (ulong Address, long Second)[] _recent = new (ulong, long)[64];

    /// <summary>Whether the address was not asked about in this clock second; it counts as asked about now.</summary>
    public bool IsNew(MacAddress address, Instant now)
    {
        ref (ulong Address, long Second) entry = ref _recent[(address.Value * 0x9e37_79b9_7f4a_7c15) >> 58];
        if (entry == (address.Value, now.Second + 1)) // second 0 must differ from an empty entry
            return false;
        entry = (address.Value, now.Second + 1);
        return true;
    }
}
