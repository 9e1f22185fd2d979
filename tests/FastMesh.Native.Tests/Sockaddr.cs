using System.Buffers.Binary;
using System.Net;
using FastMesh.Native.Linux;
using SocketAddress = FastMesh.Native.Linux.SocketAddress;

namespace FastMesh.Native.Tests;

/// <summary>sockaddr bytes as linux-dataplane reference 2.1 gives them, written independently of the code under test.</summary>
internal static class Sockaddr
{
    internal static byte[] Of(string ip, int port, int scope = 0)
    {
        byte[] address = IPAddress.Parse(ip).GetAddressBytes();
        bool isV4 = address.Length == 4;
        byte[] raw = new byte[isV4 ? 16 : 28];
        BinaryPrimitives.WriteUInt16LittleEndian(raw, (ushort)(isV4 ? 2 : 10));
        BinaryPrimitives.WriteUInt16BigEndian(raw.AsSpan(2), (ushort)port);
        address.CopyTo(raw, isV4 ? 4 : 8);
        if (!isV4)
            BinaryPrimitives.WriteInt32LittleEndian(raw.AsSpan(24), scope);
        return raw;
    }

    /// <summary>The address a socket is bound to.</summary>
    internal static byte[] LocalOf(SafeFd socket)
    {
        byte[] raw = new byte[SocketAddress.MaxLength];
        return raw[..SocketAddress.Local(socket.Descriptor, raw)];
    }

    internal static int PortOf(ReadOnlySpan<byte> sockaddr) => BinaryPrimitives.ReadUInt16BigEndian(sockaddr[2..]);
}
