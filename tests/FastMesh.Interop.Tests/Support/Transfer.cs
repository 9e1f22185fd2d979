using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace FastMesh.Interop.Tests.Support;

/// <summary>
/// Moves seeded random bytes between two hosts and holds what arrives against what was sent. Every method returns when all has arrived and
/// fails the test if a byte differs or nothing moves for a while.
/// </summary>
public static class Transfer
{
    private const int Header = 8, Burst = 16;
    private static readonly TimeSpan s_stall = TimeSpan.FromSeconds(30), s_burstPatience = TimeSpan.FromMilliseconds(500);

    /// <summary>Runs several transfers at once, each on threads of its own.</summary>
    public static void Together(params Action[] transfers) =>
        Task.WhenAll(transfers.Select(transfer => Task.Factory.StartNew(transfer, TaskCreationOptions.LongRunning))).GetAwaiter().GetResult();

    /// <summary>One TCP connection, with bytes in one or both directions at once.</summary>
    /// <param name="from">Who connects.</param>
    /// <param name="to">Who listens.</param>
    /// <param name="address">An address of the listener.</param>
    /// <param name="forth">Bytes from the one who connects.</param>
    /// <param name="back">Bytes from the one who listens.</param>
    /// <param name="seed">Of the bytes.</param>
    public static void Stream(NetworkHost from, NetworkHost to, string address, int forth, int back, int seed)
    {
        IPAddress target = IPAddress.Parse(address);
        using Socket listener = NetworkNamespace.Run(to, () => new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
        listener.Bind(new IPEndPoint(target, 0));
        listener.Listen();
        using Socket client = Connect(from, (IPEndPoint)listener.LocalEndPoint!);
        using Socket server = listener.Accept();
        foreach (Socket socket in (Socket[])[client, server]) socket.SendTimeout = socket.ReceiveTimeout = (int)s_stall.TotalMilliseconds;
        string what = $"{from.Name} to {to.Name}, {address}, seed {seed}";
        Together(
            () => Send(client, forth, seed),
            () => Receive(server, forth, seed, what),
            () => Send(server, back, seed + 1),
            () => Receive(client, back, seed + 1, what + ", back"));
    }

    /// <summary>
    /// UDP datagrams of random sizes, a burst at a time; what is lost is sent again. Returns how many were sent in vain.
    /// </summary>
    /// <param name="from">Who sends.</param>
    /// <param name="to">Who receives.</param>
    /// <param name="address">An address of the receiver.</param>
    /// <param name="count">Number of datagrams.</param>
    /// <param name="longest">Bytes of the longest.</param>
    /// <param name="seed">Of sizes and bytes.</param>
    public static int Datagrams(NetworkHost from, NetworkHost to, string address, int count, int longest, int seed)
    {
        IPAddress target = IPAddress.Parse(address);
        using Socket receiver = NetworkNamespace.Run(to, () => new Socket(target.AddressFamily, SocketType.Dgram, ProtocolType.Udp));
        receiver.ReceiveBufferSize = 1 << 22;
        receiver.Bind(new IPEndPoint(target, 0));
        using Socket sender = NetworkNamespace.Run(from, () => new Socket(target.AddressFamily, SocketType.Dgram, ProtocolType.Udp));
        sender.Connect(receiver.LocalEndPoint!);
        string what = $"{from.Name} to {to.Name}, {address}, seed {seed}";
        int lost = 0;
        for (int first = 0; first < count; first += Burst)
        {
            HashSet<int> missing = [.. Enumerable.Range(first, Math.Min(Burst, count - first))];
            for (int round = 0; missing.Count > 0; round++)
            {
                Assert.True(round < 40, $"{what}: datagram {missing.Min()} does not arrive");
                lost += round > 0 ? missing.Count : 0;
                foreach (int index in missing.Order()) TrySend(sender, Datagram(index, longest, seed));
                Collect(receiver, missing, longest, seed, what);
            }
        }

        return lost;
    }

    /// <summary>Connects as soon as there is a way: a mesh without one says so, which ends an attempt.</summary>
    private static Socket Connect(NetworkHost from, IPEndPoint target)
    {
        for (long start = Stopwatch.GetTimestamp(); ; Thread.Sleep(100))
        {
            Socket socket = NetworkNamespace.Run(from, () => new Socket(target.AddressFamily, SocketType.Stream, ProtocolType.Tcp));
            try
            {
                socket.Connect(target);
                return socket;
            }
            catch (SocketException) when (Stopwatch.GetElapsedTime(start) < s_stall)
            {
                socket.Dispose();
            }
        }
    }

    private static void TrySend(Socket socket, byte[] datagram)
    {
        try
        {
            socket.Send(datagram);
        }
        catch (SocketException)
        {
            // The path MTU has just been found to be shorter, or there is no route at the moment: as good as lost.
        }
    }

    private static void Collect(Socket socket, HashSet<int> missing, int longest, int seed, string what)
    {
        byte[] buffer = new byte[65536];
        while (missing.Count > 0 && socket.Poll(s_burstPatience, SelectMode.SelectRead))
        {
            ReadOnlySpan<byte> datagram = buffer.AsSpan(0, socket.Receive(buffer));
            int index = datagram.Length >= Header ? BinaryPrimitives.ReadInt32BigEndian(datagram) : -1;
            Assert.True(datagram.SequenceEqual(Datagram(index, longest, seed)), $"{what}: datagram {index} of {datagram.Length} bytes is not as it was sent");
            missing.Remove(index);
        }
    }

    private static byte[] Datagram(int index, int longest, int seed)
    {
        Random random = new(seed + (index * 7919));
        byte[] bytes = new byte[random.Next(Header, (random.Next(2) == 0 ? Math.Min(longest, 1400) : longest) + 1)];
        random.NextBytes(bytes);
        BinaryPrimitives.WriteInt32BigEndian(bytes, index);
        return bytes;
    }

    private static void Send(Socket socket, int count, int seed)
    {
        foreach (byte[] piece in Pieces(count, seed))
        {
            for (int at = 0; at < piece.Length;) at += socket.Send(piece.AsSpan(at));
        }

        socket.Shutdown(SocketShutdown.Send);
    }

    private static void Receive(Socket socket, int count, int seed, string what)
    {
        using IncrementalHash expected = IncrementalHash.CreateHash(HashAlgorithmName.SHA256), found = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (byte[] piece in Pieces(count, seed)) expected.AppendData(piece);
        byte[] buffer = new byte[1 << 17];
        int total = 0;
        for (int length; (length = socket.Receive(buffer)) > 0; total += length) found.AppendData(buffer.AsSpan(0, length));
        Assert.True(total == count, $"{what}: {total} of {count} bytes");
        Assert.True(expected.GetHashAndReset().AsSpan().SequenceEqual(found.GetHashAndReset()), $"{what}: not the bytes that were sent");
    }

    /// <summary>Writes of many sizes, so that segments of all sizes come about.</summary>
    private static IEnumerable<byte[]> Pieces(int count, int seed)
    {
        Random random = new(seed);
        for (int left = count; left > 0;)
        {
            byte[] piece = new byte[Math.Min(left, random.Next(1, random.Next(3) == 0 ? 2000 : 200_000))];
            random.NextBytes(piece);
            left -= piece.Length;
            yield return piece;
        }
    }
}
