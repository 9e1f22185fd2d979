using System.Net;
using System.Net.Sockets;
using System.Text;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Daemon;

/// <summary>
/// The joining side of an invitation (tinc 1.1 reference, 9.4), for a command that does nothing else: every call waits, and an inviter that is silent for
/// five seconds has refused. <see cref="Connect"/>, then <see cref="Receive"/>, then <see cref="Confirm"/>; all throw <see cref="IOException"/>
/// with one line for the user.
/// </summary>
public sealed class InvitationClient : IDisposable
{
    private const int MaxLine = 2176, MaxFile = 1 << 20;
    private const byte DataRecord = 0, EndRecord = 1, AcceptedRecord = 2;

    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    private readonly Socket _socket;
    private readonly InvitationUrl _url;
    private byte[] _received = [];
    private SptpsRecords? _records;

    private InvitationClient(Socket socket, InvitationUrl url) => (_socket, _url) = (socket, url);

    /// <summary>The inviter's name, as it gave it.</summary>
    public string Inviter { get; private set; } = "";

    /// <summary>Connects with the inviter, on the first of its addresses that answers, and makes sure that it is who the URL says.</summary>
    public static InvitationClient Connect(InvitationUrl url)
    {
        ArgumentNullException.ThrowIfNull(url);
        InvitationClient client = new(Open(url.Address), url);
        try
        {
            client.Introduce();
            return client;
        }
        catch
        {
            client.Dispose();
            throw;
        }
    }

    /// <summary>Exchanges the cookie for the invitation, which is then used up.</summary>
    public byte[] Receive()
    {
        Send(DataRecord, _url.Cookie);
        List<byte> file = [];
        while (Next(out ReadOnlySpan<byte> data) is var type && type != EndRecord)
        {
            if (type != DataRecord || file.Count + data.Length > MaxFile)
                throw Broken();
            file.AddRange(data);
        }

        return [.. file];
    }

    /// <summary>Tells the inviter this node's permanent key; when this returns, the inviter knows the node.</summary>
    public void Confirm(Ed25519PublicKey key)
    {
        Send(EndRecord, Encoding.ASCII.GetBytes($"{key}"));
        if (Next(out _) != AcceptedRecord)
            throw Broken();
    }

    /// <inheritdoc/>
    public void Dispose() => _socket.Dispose();

    private static Socket Open(HostPort target)
    {
        string reason = "";
        try
        {
            foreach (Endpoint address in NameLookup.LookUp(target, AddressFamilyChoice.Any))
            {
                if (TryOpen(address, out reason) is { } socket)
                    return socket;
            }
        }
        catch (SocketException failure)
        {
            reason = NameLookup.Describe(failure);
        }

        throw new IOException($"Could not connect to {target}: {reason}");
    }

    private static Socket? TryOpen(Endpoint address, out string reason)
    {
        AddressFamily family = address.IsIPv6 ? AddressFamily.InterNetworkV6 : AddressFamily.InterNetwork;
        Socket socket = new(family, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = (int)s_patience.TotalMilliseconds };
        using CancellationTokenSource limit = new(s_patience);
        try
        {
            socket.ConnectAsync(new IPEndPoint(IPAddress.Parse(address.AddressText), address.Port), limit.Token).AsTask().GetAwaiter().GetResult();
            reason = "";
            return socket;
        }
        catch (SocketException failure)
        {
            reason = failure.Message;
        }
        catch (OperationCanceledException)
        {
            reason = "Connection timed out";
        }

        socket.Dispose();
        return null;
    }

    private void Introduce()
    {
        Ed25519Identity throwAway = Ed25519Identity.Generate(new SystemRandom());
        Send(Encoding.ASCII.GetBytes($"0 ?{throwAway.Public} 17.1\n")); // from minor 2 on, tinc would begin to encrypt before there is a key
        string[] id = ReadLine().Split(' ');
        if (id is not ["0", var name, var version, ..] || !NodeName.IsValid(name) || version.Split('.')[0] != "17")
            throw new IOException($"{_url.Address} does not answer as a node of tinc");
        Inviter = name;
        if (ReadLine().Split(' ') is not ["4", var text, ..] || !Ed25519PublicKey.TryParse(text, out Ed25519PublicKey? key)
            || !InvitationUrl.HashOf(key).AsSpan().SequenceEqual(_url.KeyHash))
            throw new IOException($"{_url.Address} has another key than the invitation says; check the URL");

        _records = new SptpsRecords(new SptpsHandshake(throwAway, key, initiator: true, [.. "tinc invitation"u8], new SystemRandom()));
        Send(_records.Start());
        while (!_records.IsReady)
            ReadRecord(out _, out _);
    }

    private string ReadLine()
    {
        int end;
        while ((end = _received.AsSpan().IndexOf((byte)'\n')) < 0)
        {
            if (_received.Length > MaxLine)
                throw Broken();
            Fill();
        }

        string line = Encoding.ASCII.GetString(_received.AsSpan(0, end));
        _received = _received[(end + 1)..];
        return line;
    }

    /// <summary>Waits for an application record and gives its type; the data is borrowed until the next call.</summary>
    private byte Next(out ReadOnlySpan<byte> data)
    {
        byte type;
        while (!ReadRecord(out type, out data))
        {
        }

        return type;
    }

    /// <summary>Takes one record; false for one of a handshake, which is answered here.</summary>
    private bool ReadRecord(out byte type, out ReadOnlySpan<byte> data)
    {
        while (true)
        {
            SptpsRead found = _records!.Read(_received, SptpsRecords.MaxData, out int length, out type, out data);
            if (found == SptpsRead.Broken)
                throw Broken();
            if (found == SptpsRead.More)
            {
                Fill();
                continue;
            }

            _received = _received[length..];
            if (found == SptpsRead.Application)
                return true;
            Send(_records.Reply);
            return false;
        }
    }

    private void Fill()
    {
        byte[] more = new byte[4096];
        int count;
        try
        {
            count = _socket.Receive(more);
        }
        catch (SocketException failure) when (failure.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
        {
            count = 0;
        }
        catch (SocketException failure)
        {
            throw new IOException($"The connection with {_url.Address} broke: {failure.Message}", failure);
        }

        if (count == 0)
            throw new IOException($"{_url.Address} does not answer: the invitation may have been used or have expired");
        _received = [.. _received, .. more.AsSpan(0, count)];
    }

    private void Send(byte type, ReadOnlySpan<byte> data)
    {
        byte[] record = new byte[_records!.RecordLength(data.Length)];
        data.CopyTo(record.AsSpan(SptpsRecords.HeaderLength));
        _records.Seal(type, record);
        Send(record);
    }

    private void Send(ReadOnlySpan<byte> bytes)
    {
        try
        {
            for (int sent = 0; sent < bytes.Length;)
                sent += _socket.Send(bytes[sent..]);
        }
        catch (SocketException failure)
        {
            throw new IOException($"The connection with {_url.Address} broke: {failure.Message}", failure);
        }
    }

    private IOException Broken() => new($"{_url.Address} does not keep to the protocol of invitations");
}
