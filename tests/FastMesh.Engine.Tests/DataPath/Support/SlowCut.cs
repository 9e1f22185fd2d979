using System.Buffers.Binary;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>Cuts a super-packet the way a kernel does, slowly: the oracle for merging.</summary>
internal static class SlowCut
{
    public static IEnumerable<byte[]> Apply(byte[] frame, VirtioHeader header)
    {
        if (header.Kind == SegmentationKind.None)
            return [frame];

        bool tcp = header.Kind != SegmentationKind.Udp;
        List<byte[]> segments = [];
        for (int at = header.HeaderLength; at < frame.Length; at += header.SegmentSize)
        {
            int length = Math.Min(header.SegmentSize, frame.Length - at);
            bool last = at + length == frame.Length;
            segments.Add(Segment([.. frame[..header.HeaderLength], .. frame[at..(at + length)]], header, tcp, at - header.HeaderLength, last));
        }

        return segments;
    }

    private static byte[] Segment(byte[] frame, VirtioHeader header, bool tcp, int sent, bool last)
    {
        Span<byte> ip = frame.AsSpan(14), transport = frame.AsSpan(header.ChecksumStart);
        bool v4 = ip[0] >> 4 == 4;
        if (v4)
        {
            BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)ip.Length);
            int index = sent / header.SegmentSize;
            BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)(BinaryPrimitives.ReadUInt16BigEndian(ip[4..]) + (tcp ? 0 : index)));
            ip.Slice(10, 2).Clear();
            BinaryPrimitives.WriteUInt16BigEndian(ip[10..], (ushort)~TestFrames.Sum(ip[..20]));
        }
        else
        {
            BinaryPrimitives.WriteUInt16BigEndian(ip[4..], (ushort)(ip.Length - 40));
        }

        if (tcp)
        {
            BinaryPrimitives.WriteUInt32BigEndian(transport[4..], unchecked(BinaryPrimitives.ReadUInt32BigEndian(transport[4..]) + (uint)sent));
            if (!last)
                transport[13] &= 0xf6;
        }
        else
        {
            BinaryPrimitives.WriteUInt16BigEndian(transport[4..], (ushort)transport.Length);
        }

        Span<byte> field = transport.Slice(header.ChecksumOffset, 2);
        field.Clear();
        ushort sum = TestFrames.TransportChecksum(v4 ? ip.Slice(12, 8) : ip.Slice(8, 32), (byte)(tcp ? 6 : 17), transport);
        BinaryPrimitives.WriteUInt16BigEndian(field, !tcp && sum == 0 ? (ushort)0xffff : sum);
        return frame;
    }
}
