using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace FastMesh.Interop.Tests.Support;

/// <summary>
/// Numbered UDP datagrams between two hosts, as many as go through until the test has seen enough. No more than a few are under way at a time,
/// so that none is lost for want of a buffer on a busy machine, and each is sent once: what does not arrive was lost on its way.
/// </summary>
public sealed class CountedDatagrams : IDisposable
{
    private const int Window = 32, Length = 400;
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly Socket _receiver, _sender;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _work;
    private readonly string _what;

    /// <summary>Starts sending.</summary>
    /// <param name="from">Who sends.</param>
    /// <param name="to">Who receives.</param>
    /// <param name="address">An address of the receiver.</param>
    public CountedDatagrams(NetworkHost from, NetworkHost to, string address)
    {
        IPAddress target = IPAddress.Parse(address);
        _what = $"{from.Name} to {to.Name}, {address}";
        _receiver = NetworkNamespace.Run(to, () => new Socket(target.AddressFamily, SocketType.Dgram, ProtocolType.Udp));
        _receiver.Bind(new IPEndPoint(target, 0));
        _sender = NetworkNamespace.Run(from, () => new Socket(target.AddressFamily, SocketType.Dgram, ProtocolType.Udp));
        _sender.Connect(_receiver.LocalEndPoint!);
        _work = Task.Factory.StartNew(Work, TaskCreationOptions.LongRunning);
    }

    /// <summary>Datagrams that have arrived.</summary>
    public int Received { get; private set; }

    /// <summary>Datagrams that did not, or that the kernel refused to send.</summary>
    public int Lost { get; private set; }

    /// <summary>Ends, waits for what is under way, and tells how it went.</summary>
    public string Stop()
    {
        _stop.Cancel();
        _work.GetAwaiter().GetResult();
        return $"{_what}: {Received} datagrams arrived, {Lost} were lost";
    }

    public void Dispose()
    {
        _stop.Cancel();
        _work.Wait();
        _receiver.Dispose();
        _sender.Dispose();
        _stop.Dispose();
    }

    private void Work()
    {
        HashSet<int> underWay = [];
        byte[] datagram = new byte[Length], buffer = new byte[Length];
        for (int next = 0; !_stop.IsCancellationRequested || underWay.Count > 0;)
        {
            while (underWay.Count < Window && !_stop.IsCancellationRequested)
            {
                BinaryPrimitives.WriteInt32BigEndian(datagram, next);
                if (TrySend(datagram)) underWay.Add(next);
                else Lost++;
                next++;
            }

            if (!_receiver.Poll(s_patience, SelectMode.SelectRead))
            {
                Lost += underWay.Count;
                underWay.Clear();
                continue;
            }

            _receiver.Receive(buffer);
            if (underWay.Remove(BinaryPrimitives.ReadInt32BigEndian(buffer))) Received++;
        }
    }

    private bool TrySend(byte[] datagram)
    {
        try
        {
            return _sender.Send(datagram) == datagram.Length;
        }
        catch (SocketException)
        {
            return false; // no route at the moment
        }
    }
}
