using FastMesh.Engine.Crypto;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Crypto;

/// <summary>Both ends of sessions from alpha to beta.</summary>
internal static class TestSessions
{
    /// <summary>What the two sides of a session are made of.</summary>
    public static (DatagramSession Sending, DatagramSession Receiving) Shape(
        DataSuite suite, bool withEthernet = false, string from = "alpha", string to = "beta")
    {
        SessionFormat format = suite == DataSuite.TincChaCha20Poly1305 ? SessionFormat.Sptps : SessionFormat.FastMesh;
        return (new(format, suite, NodeId.Of(from), NodeId.Of(to), withEthernet, HasIds: true, Owner: 0),
            new(format, suite, NodeId.Of(to), NodeId.Of(from), withEthernet, HasIds: true, Owner: 0));
    }

    /// <summary>Key material.</summary>
    public static byte[] NewKey()
    {
        byte[] key = new byte[DatagramKey.Length];
        new SystemRandom().Fill(key);
        return key;
    }

    /// <summary>Both ends under one new key, numbers from zero.</summary>
    public static (DatagramSealer Sealer, DatagramOpener Opener) NewPair(DataSuite suite, bool withEthernet = false, int compression = 0, int window = 16)
    {
        byte[] key = NewKey();
        (DatagramSession sending, DatagramSession receiving) = Shape(suite, withEthernet);
        return (new(sending, key, new RecordCounter(), compression), new(receiving, key, window, compression, null, 0));
    }

    /// <summary>A counter whose next number is given.</summary>
    public static RecordCounter CounterAt(ulong next)
    {
        RecordCounter counter = new();
        for (; next > int.MaxValue; next -= int.MaxValue)
            counter.Take(int.MaxValue);
        counter.Take((int)next);
        return counter;
    }

    /// <summary>One datagram of one frame.</summary>
    public static byte[] Seal(this DatagramSealer sealer, byte[] frame)
    {
        byte[] output = new byte[frame.Length + 64];
        return output[..sealer.Seal([0, 0, 0, 0, .. frame], output, direct: true)];
    }

    /// <summary>Opens a datagram; the frame is empty if it was not opened.</summary>
    public static (OpenResult Result, byte[] Frame) Open(this DatagramOpener opener, byte[] datagram)
    {
        byte[] output = new byte[opener.OutputLength(datagram.Length)];
        OpenResult result = opener.Open(datagram, output, out int offset, out int length);
        return (result, result == OpenResult.Opened ? output.AsSpan(offset, length).ToArray() : []);
    }
}
