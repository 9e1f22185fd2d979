using System.Buffers.Binary;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// Cuts an IPv4 frame that is too long for its path into fragments (tinc 1.0 reference, 6.4). Only headers without options are taken, and only
/// if the stated length is that of the frame; other packets are dropped.
/// </summary>
internal ref struct Fragmenter
{
    /// <summary>The shortest path MTU that fragments are made for, bytes with Ethernet header.</summary>
    public const int MinMtu = 590;

    private const ushort OffsetMask = 0x1fff;

    private readonly ReadOnlySpan<byte> _frame;
    private readonly int _headers;
    private readonly int _piece;
    private readonly ushort _field;
    private int _sent;

    private Fragmenter(ReadOnlySpan<byte> frame, int headers, int piece, ushort field)
    {
        _frame = frame;
        _headers = headers;
        _piece = piece;
        _field = field;
    }

    /// <summary>Prepares to cut; false if the frame cannot be cut: options, a wrong length, or no IPv4.</summary>
    /// <param name="frame">The frame, VLAN tags included; borrowed.</param>
    /// <param name="mtu">The longest frame on the path, bytes.</param>
    /// <param name="fragmenter">Gives the pieces.</param>
    public static bool TryCreate(ReadOnlySpan<byte> frame, int mtu, out Fragmenter fragmenter)
    {
        fragmenter = default;
        if (!EthernetFrame.TryRead(frame, out EthernetFrame ethernet) || ethernet.InnerType != EtherType.IPv4
            || !IpPacket.TryRead(ethernet.Payload, out IpPacket packet)
            || !packet.IsIPv4 || packet.HeaderLength != IpPacket.MinIPv4Length || !packet.IsComplete)
            return false;

        int headers = ethernet.PayloadOffset + IpPacket.MinIPv4Length;
        int piece = (Math.Max(mtu, MinMtu) - headers) & ~7;
        fragmenter = new Fragmenter(frame, headers, piece, packet.FragmentField);
        return true;
    }

    /// <summary>Writes the next fragment as a complete frame.</summary>
    /// <param name="output">Room for the longest piece: the path MTU or <see cref="MinMtu"/>, whichever is more.</param>
    /// <returns>Its bytes; 0 after the last, or if there is too little room.</returns>
    public int Next(Span<byte> output)
    {
        ReadOnlySpan<byte> rest = _frame[(_headers + _sent)..];
        int payload = Math.Min(rest.Length, _piece), length = _headers + payload;
        if (payload == 0 || length > output.Length)
            return 0;

        _frame[.._headers].CopyTo(output);
        rest[..payload].CopyTo(output[_headers..]);
        Span<byte> ip = output[(_headers - IpPacket.MinIPv4Length).._headers];
        int more = payload < rest.Length ? IpPacket.MoreFragments : 0;
        int offset = ((_field & OffsetMask) + (_sent / 8)) & OffsetMask;
        BinaryPrimitives.WriteUInt16BigEndian(ip[SuperpacketHeaders.IPv4Length..], (ushort)(payload + IpPacket.MinIPv4Length));
        BinaryPrimitives.WriteUInt16BigEndian(ip[SuperpacketHeaders.IPv4Fragment..], (ushort)((_field & ~OffsetMask) | more | offset));
        Span<byte> checksum = ip.Slice(SuperpacketHeaders.IPv4Checksum, 2);
        checksum.Clear();
        Checksum.Write(checksum, Checksum.Sum(ip));
        _sent += payload;
        return length;
    }
}
