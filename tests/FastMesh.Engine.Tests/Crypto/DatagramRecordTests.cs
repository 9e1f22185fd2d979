using System.Buffers.Binary;
using FastMesh.Engine.Crypto;
using FastMesh.Native.Crypto;

namespace FastMesh.Engine.Tests.Crypto;

/// <summary>Genuine records with contents that the tinc 1.1 reference, 6.1, allows or forbids.</summary>
public sealed class DatagramRecordTests
{
    private readonly byte[] _key = TestSessions.NewKey();
    private uint _sequence;

    [Theory]
    [InlineData(false, "0045aabb", OpenResult.Opened, "000000000000000000000000080045aabb")]
    [InlineData(false, "0060", OpenResult.Opened, "00000000000000000000000086dd60")]
    [InlineData(false, "0055aabb", OpenResult.Malformed, "")] // neither IPv4 nor IPv6
    [InlineData(false, "00", OpenResult.Malformed, "")]
    [InlineData(false, "02111111111111222222222222080645", OpenResult.Opened, "111111111111222222222222080645")] // a router takes whole frames
    [InlineData(false, "0211111111111122222222222208", OpenResult.Malformed, "")] // no whole header
    [InlineData(false, "02", OpenResult.Malformed, "")]
    [InlineData(false, "021111111111112222222222220000", OpenResult.Malformed, "")] // looks like a probe
    [InlineData(false, "04000000000000000000000000000001020304", OpenResult.Opened, "000000000000000000000000000001020304")]
    [InlineData(false, "04000000000000000000000000080001020304", OpenResult.Malformed, "")] // says it is a probe
    [InlineData(false, "0400", OpenResult.Malformed, "")]
    [InlineData(false, "0145aabb", OpenResult.Corrupt, "")] // compressed, but we asked for none
    [InlineData(false, "05000000000000000000000000000001020304", OpenResult.Malformed, "")]
    [InlineData(false, "06000000000000000000000000000001020304", OpenResult.Malformed, "")]
    [InlineData(false, "1045aabb", OpenResult.Malformed, "")]
    [InlineData(false, "7f45aabb", OpenResult.Malformed, "")]
    [InlineData(false, "80", OpenResult.Malformed, "")] // a handshake record does not come by UDP
    [InlineData(false, "ff45aabb", OpenResult.Malformed, "")]
    [InlineData(true, "0045aabb", OpenResult.Malformed, "")] // a switch takes nothing but whole frames
    [InlineData(true, "02111111111111222222222222080645", OpenResult.Opened, "111111111111222222222222080645")]
    [InlineData(true, "0211111111111122222222222208", OpenResult.Malformed, "")]
    [InlineData(true, "04000000000000000000000000000001020304", OpenResult.Opened, "000000000000000000000000000001020304")]
    public void Records_are_taken_by_their_type(bool withEthernet, string plain, OpenResult expected, string frame)
    {
        foreach (DataSuite suite in Enum.GetValues<DataSuite>())
        {
            (OpenResult result, byte[] got) = NewOpener(suite, withEthernet, 0).Open(Datagram(suite, Convert.FromHexString(plain)));
            Assert.Equal((expected, frame), (result, Convert.ToHexStringLower(got)));
        }
    }

    [Theory]
    [InlineData(DataSuite.TincChaCha20Poly1305, OpenResult.Malformed)]
    [InlineData(DataSuite.Aes256Gcm, OpenResult.OpenedPartial)]
    [InlineData(DataSuite.ChaCha20Poly1305, OpenResult.OpenedPartial)]
    public void Only_sessions_between_FastMesh_nodes_know_partial_checksums(DataSuite suite, OpenResult expected) =>
        Assert.Equal(expected, NewOpener(suite, withEthernet: false, 0).Open(Datagram(suite, [8, 0x45, 0xaa, 0xbb])).Result);

    [Fact]
    public void Compressed_packets_expand_and_whole_frames_too_and_bombs_do_not()
    {
        using Zlib zlib = new(9);
        byte[] compressed = new byte[4000];
        byte[] Compress(byte type, ReadOnlySpan<byte> data) => [type, .. compressed.AsSpan(0, zlib.Compress(data, compressed))];
        byte[] ip = [0x45, .. new byte[DatagramOpener.MaxExpandedData - 1]], frame = [.. Enumerable.Repeat((byte)7, 500)];
        DataSuite suite = DataSuite.TincChaCha20Poly1305;

        (OpenResult result, byte[] got) = NewOpener(suite, false, 6).Open(Datagram(suite, Compress(1, ip)));
        Assert.Equal(OpenResult.Opened, result);
        Assert.Equal(ip, got[14..]);
        Assert.Equal(frame, NewOpener(suite, false, 6).Open(Datagram(suite, Compress(3, frame))).Frame);
        Assert.Equal(frame, NewOpener(suite, true, 6).Open(Datagram(suite, Compress(3, frame))).Frame);
        Assert.Equal(OpenResult.Malformed, NewOpener(suite, true, 6).Open(Datagram(suite, Compress(1, ip))).Result);
        Assert.Equal(OpenResult.Malformed, NewOpener(suite, false, 6).Open(Datagram(suite, Compress(1, new byte[100]))).Result);
        Assert.Equal(OpenResult.Corrupt, NewOpener(suite, false, 6).Open(Datagram(suite, Compress(1, [.. ip, 0]))).Result);
        Assert.Equal(OpenResult.Corrupt, NewOpener(suite, false, 6).Open(Datagram(suite, [1, 0x78, 0x9c])).Result);
        Assert.Equal(OpenResult.Corrupt, NewOpener(suite, false, 6).Open(Datagram(suite, [1])).Result);
        Assert.Equal(ip, NewOpener(suite, false, 6).Open(Datagram(suite, [0, .. ip])).Frame[14..]); // plain is fine too
    }

    [Theory]
    [InlineData(DataSuite.TincChaCha20Poly1305)]
    [InlineData(DataSuite.Aes256Gcm)]
    [InlineData(DataSuite.ChaCha20Poly1305)]
    public void Every_length_and_every_flipped_bit_of_a_datagram_is_refused_and_the_datagram_still_opens(DataSuite suite)
    {
        DatagramOpener opener = NewOpener(suite, false, 0);
        byte[] datagram = Datagram(suite, [0, 0x45, 1, 2, 3]);
        for (int length = 0; length < datagram.Length; length++)
            Assert.NotEqual(OpenResult.Opened, opener.Open(datagram[..length]).Result);
        for (int bit = 12 * 8; bit < datagram.Length * 8; bit++) // the ids are for relays, and not authenticated
        {
            datagram[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.Equal(OpenResult.Forged, opener.Open(datagram).Result);
            datagram[bit / 8] ^= (byte)(1 << (bit % 8));
        }

        Assert.Equal(OpenResult.Opened, opener.Open(datagram).Result);
        Assert.Equal(OpenResult.Malformed, opener.Open(datagram, new byte[opener.OutputLength(datagram.Length) - 1], out _, out _));
    }

    [Fact]
    public void Another_lane_is_refused()
    {
        DatagramKey key = new(SessionFormat.FastMesh, DataSuite.Aes256Gcm, _key);
        byte[] datagram = new byte[12 + 8 + 5 + 16];
        BinaryPrimitives.WriteUInt64BigEndian(datagram.AsSpan(12), 1UL << 56);
        key.Seal(1UL << 56, [0, 0x45, 1, 2, 3], datagram.AsSpan(20));
        Assert.Equal(OpenResult.Malformed, NewOpener(DataSuite.Aes256Gcm, false, 0).Open(datagram).Result);
    }

    private DatagramOpener NewOpener(DataSuite suite, bool withEthernet, int compression) =>
        new(TestSessions.Shape(suite, withEthernet).Receiving, _key, 0, compression, null, 0);

    private byte[] Datagram(DataSuite suite, byte[] plain)
    {
        SessionFormat format = TestSessions.Shape(suite).Sending.Format;
        DatagramKey key = new(format, suite, _key);
        byte[] datagram = new byte[12 + key.SequenceLength + plain.Length + 16];
        datagram[12 + key.SequenceLength - 1] = (byte)++_sequence;
        key.Seal(_sequence, plain, datagram.AsSpan(12 + key.SequenceLength));
        return datagram;
    }
}
