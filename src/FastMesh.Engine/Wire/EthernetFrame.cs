using System.Buffers.Binary;

namespace FastMesh.Engine.Wire;

/// <summary>EtherType numbers that routing looks at.</summary>
public static class EtherType
{
    /// <summary>The mark of a path MTU probe (tinc 1.0 reference, 5.8).</summary>
    public const ushort Probe = 0;

    /// <summary>IPv4.</summary>
    public const ushort IPv4 = 0x0800;

    /// <summary>ARP.</summary>
    public const ushort Arp = 0x0806;

    /// <summary>A VLAN tag (802.1Q).</summary>
    public const ushort Vlan = 0x8100;

    /// <summary>IPv6.</summary>
    public const ushort IPv6 = 0x86dd;

    /// <summary>A service VLAN tag (802.1ad).</summary>
    public const ushort ServiceVlan = 0x88a8;
}

/// <summary>Read-only view of an Ethernet frame without frame check sequence. Owns nothing.</summary>
public readonly ref struct EthernetFrame
{
    //   0  destination    6
    //   6  source         6
    //  12  EtherType      2   or one or two VLAN tags: 0x8100 or 0x88a8, tag (2); then the EtherType
    //  14  payload        n

    /// <summary>Bytes of the header without VLAN tag.</summary>
    public const int HeaderLength = 14;

    /// <summary>Bytes of one VLAN tag.</summary>
    public const int VlanTagLength = 4;

    /// <summary>Most VLAN tags that are looked behind: a customer's in a provider's (802.1ad).</summary>
    public const int MaxVlanTags = 2;

    private readonly ReadOnlySpan<byte> _bytes;

    private EthernetFrame(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>Reads a frame; false if the header is not complete.</summary>
    public static bool TryRead(ReadOnlySpan<byte> bytes, out EthernetFrame frame)
    {
        bool ok = bytes.Length >= HeaderLength;
        frame = ok ? new(bytes) : default;
        return ok;
    }

    /// <summary>The receiver's address.</summary>
    public MacAddress Destination => MacAddress.Read(_bytes);

    /// <summary>The sender's address.</summary>
    public MacAddress Source => MacAddress.Read(_bytes[6..]);

    /// <summary>Whether the destination is a group address (broadcast or multicast).</summary>
    public bool IsGroup => (_bytes[0] & 1) != 0;

    /// <summary>The type as it stands behind the addresses; a VLAN tag shows as such.</summary>
    public ushort Type => BinaryPrimitives.ReadUInt16BigEndian(_bytes[12..]);

    /// <summary>The type behind the address pair or behind the complete VLAN tags, two at most.</summary>
    public ushort InnerType => BinaryPrimitives.ReadUInt16BigEndian(_bytes[(PayloadOffset - 2)..]);

    /// <summary>Where the payload begins: 14, or 18 or 22 behind one or two complete VLAN tags.</summary>
    public int PayloadOffset => HasTagAt(12) ? HasTagAt(16) ? HeaderLength + (2 * VlanTagLength) : HeaderLength + VlanTagLength : HeaderLength;

    /// <summary>What the frame carries, behind at most two VLAN tags.</summary>
    public ReadOnlySpan<byte> Payload => _bytes[PayloadOffset..];

    private bool HasTagAt(int offset) =>
        _bytes.Length >= offset + VlanTagLength + 2
        && BinaryPrimitives.ReadUInt16BigEndian(_bytes[offset..]) is EtherType.Vlan or EtherType.ServiceVlan;
}
