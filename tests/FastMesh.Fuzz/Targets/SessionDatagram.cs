using FastMesh.Engine.Crypto;
using FastMesh.Engine.Wire;

namespace FastMesh.Fuzz.Targets;

/// <summary>
/// Datagrams with node ids: once as they come, under keys of each suite; and once sealed under a key, so that the input is what an authenticated peer
/// may put into a record. A frame that comes out is sealed and opened again.
/// </summary>
internal sealed class SessionDatagram : FuzzTarget
{
    private const int Prefix = (2 * NodeId.Length) + sizeof(uint);

    private static readonly byte[] s_key = new byte[DatagramKey.Length];
    private readonly DatagramKey _key = new(SessionFormat.Sptps, DataSuite.TincChaCha20Poly1305, s_key);
    private readonly byte[] _sealed = new byte[4096], _again = new byte[4096], _output = new byte[8192];
    private readonly DatagramSealer _sealer = new(Shape(DataSuite.Aes256Gcm, withEthernet: true), s_key, new RecordCounter(), 0);
    private readonly DatagramOpener _opener = Opener(DataSuite.Aes256Gcm, withEthernet: true, 0);
    private readonly DatagramOpener[] _openers =
    [
        Opener(DataSuite.TincChaCha20Poly1305, false, 0), Opener(DataSuite.TincChaCha20Poly1305, true, 0),
        Opener(DataSuite.TincChaCha20Poly1305, false, 6), Opener(DataSuite.TincChaCha20Poly1305, true, 10),
        Opener(DataSuite.TincChaCha20Poly1305, false, 12),
        Opener(DataSuite.Aes256Gcm, false, 0), Opener(DataSuite.ChaCha20Poly1305, true, 6),
    ];

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            byte[] ip = [0x45, .. new byte[200]];
            foreach (int compression in (int[])[0, 6, 10, 12])
            {
                // A sealed packet, whose record the fuzzer sees in clear: type and data.
                DatagramSealer sealer = new(Shape(DataSuite.TincChaCha20Poly1305, false), s_key, new RecordCounter(), compression);
                byte[] datagram = new byte[2000];
                int length = sealer.Seal([.. new byte[16], 8, 0, .. ip], datagram, direct: true);
                yield return datagram[..length];
                byte[] record = new byte[length - Prefix - DatagramKey.TagLength];
                if (_key.TryOpen(0, datagram.AsSpan(Prefix, length - Prefix), record))
                    yield return record;
            }

            yield return [2, .. new byte[12], 8, 6, .. ip];
            yield return [4, .. new byte[18]];
        }
    }

    public override void Run(Span<byte> input)
    {
        foreach (DatagramOpener opener in _openers)
            Open(opener, input);
        if (input.IsEmpty)
            return;

        _sealed.AsSpan(0, Prefix).Clear();
        _key.Seal(0, input, _sealed.AsSpan(Prefix));
        foreach (DatagramOpener opener in _openers)
            Open(opener, _sealed.AsSpan(0, Prefix + input.Length + DatagramKey.TagLength));
    }

    private void Open(DatagramOpener opener, ReadOnlySpan<byte> datagram)
    {
        Span<byte> room = _output.AsSpan(0, opener.OutputLength(datagram.Length));
        if (opener.Open(datagram, room, out int offset, out int length) != OpenResult.Opened)
            return;
        if (offset != PacketOpener.FrameOffset || length < EthernetFrame.HeaderLength || offset + length > room.Length)
            throw new InvalidOperationException($"a frame of {length} bytes at {offset} came out of a datagram of {datagram.Length}");

        byte[] frame = _output.AsSpan(offset, length).ToArray();
        int again = _sealer.Seal([0, 0, 0, 0, .. frame], _again, direct: true);
        bool same = _opener.Open(_again.AsSpan(0, again), _output, out offset, out length) == OpenResult.Opened
            && _output.AsSpan(offset, length).SequenceEqual(frame);
        if (!same)
            throw new InvalidOperationException($"a frame of {frame.Length} bytes did not survive sealing");
    }

    private static DatagramOpener Opener(DataSuite suite, bool withEthernet, int compression) =>
        new(Shape(suite, withEthernet), s_key, replayWindowBytes: 0, compression, previous: null, nextSequence: 0);

    private static DatagramSession Shape(DataSuite suite, bool withEthernet) =>
        new(suite == DataSuite.TincChaCha20Poly1305 ? SessionFormat.Sptps : SessionFormat.FastMesh, suite, default, default, withEthernet, true, Owner: 0);
}
