using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace FastMesh.Interop.Tests.Support;

/// <summary>What a series of echo requests came to.</summary>
public readonly record struct PingResult(int Sent, int Received)
{
    public int Lost => Sent - Received;

    public static PingResult operator +(PingResult left, PingResult right) => new(left.Sent + right.Sent, left.Received + right.Received);
}

/// <summary>
/// Echo requests that are only counted as lost after seconds. (ping(8) gives the last ones no more than twice the
/// round trip of the others, which on a busy machine reports losses that are none.)
/// </summary>
public static class Pinger
{
    private const int HeaderLength = 8;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5), s_impatience = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Sends a series. Without an interval each request waits for the answer of the one before: none shares a train with another, however busy
    /// the machine is. A single request is only a try, and gets a second, as do those after a loss.
    /// </summary>
    public static PingResult Run(NetworkHost host, IPAddress address, int count, TimeSpan? interval, int size) =>
        NetworkNamespace.Run(host, () => Run(address, count, interval, size));

    private static PingResult Run(IPAddress address, int count, TimeSpan? interval, int size)
    {
        bool isV4 = address.AddressFamily == AddressFamily.InterNetwork;
        using Socket socket = new(address.AddressFamily, SocketType.Raw, isV4 ? ProtocolType.Icmp : ProtocolType.IcmpV6);
        if (isV4) socket.DontFragment = false;
        ushort id = (ushort)Random.Shared.Next(1, 0x10000);
        byte[] request = new byte[HeaderLength + size];
        Random.Shared.NextBytes(request.AsSpan(HeaderLength));
        bool[] answered = new bool[count];
        int received = 0;

        for (int sequence = 0; sequence < count; sequence++)
        {
            WriteHeader(request, isV4, id, (ushort)sequence);
            try
            {
                socket.SendTo(request, new IPEndPoint(address, 0));
            }
            catch (SocketException)
            {
                // No route yet, or a message that the kernel refuses for its size: an unanswered request.
            }

            int missing = sequence + 1 - received;
            if (interval is { } time && sequence < count - 1)
                received += Collect(socket, isV4, id, request, answered, time, int.MaxValue);
            else
                received += Collect(socket, isV4, id, request, answered, count == 1 || (interval is null && missing > 1) ? s_impatience : s_patience, missing);
        }

        return new(count, received);
    }

    /// <summary>Counts new answers until the time is over or as many as wanted have come.</summary>
    private static int Collect(Socket socket, bool isV4, ushort id, byte[] request, bool[] answered, TimeSpan time, int wanted)
    {
        byte[] buffer = new byte[65536];
        int found = 0;
        long start = Stopwatch.GetTimestamp();
        while (found < wanted && time - Stopwatch.GetElapsedTime(start) is { Ticks: > 0 } left)
        {
            if (!socket.Poll(left, SelectMode.SelectRead)) break;
            ReadOnlySpan<byte> reply = buffer.AsSpan(0, socket.Receive(buffer));
            if (isV4) reply = reply[((reply[0] & 0xF) * 4)..];
            if (!IsAnswer(reply, isV4, id, request)) continue;
            int sequence = BinaryPrimitives.ReadUInt16BigEndian(reply[6..]);
            if (sequence >= answered.Length || answered[sequence]) continue;
            answered[sequence] = true;
            found++;
        }

        return found;
    }

    private static bool IsAnswer(ReadOnlySpan<byte> reply, bool isV4, ushort id, byte[] request) =>
        reply.Length == request.Length && reply[0] == (isV4 ? 0 : 129) && BinaryPrimitives.ReadUInt16BigEndian(reply[4..]) == id &&
        reply[HeaderLength..].SequenceEqual(request.AsSpan(HeaderLength));

    private static void WriteHeader(byte[] request, bool isV4, ushort id, ushort sequence)
    {
        request.AsSpan(0, HeaderLength).Clear();
        request[0] = isV4 ? (byte)8 : (byte)128;
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(4), id);
        BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(6), sequence);
        if (isV4) BinaryPrimitives.WriteUInt16BigEndian(request.AsSpan(2), Checksum(request));
    }

    private static ushort Checksum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (int i = 0; i < bytes.Length; i++) sum += i % 2 == 0 ? (uint)bytes[i] << 8 : bytes[i];
        while (sum >> 16 != 0) sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~sum;
    }
}
