using System.Buffers.Binary;
using System.Security.Cryptography;
using FastMesh.Engine.Crypto;

namespace FastMesh.Engine.Tests.Crypto;

public sealed class DatagramKeyTests
{
    // tinc 1.1 reference, 12: the datagram session of alice and bob; the second half of 64 bytes is not used.
    private const string ToInitiator = "983a590f43f56844068ebdac20a38d9652bd12111520f5517befc9bb3097012e";
    private const string ToResponder = "eab96e8f636ad43bd5c8772dfcb30e3a98b0068a09dc97a165dd3281632465c9";

    [Theory]
    [InlineData(ToResponder, "04000000000000000000000000000001020304", "312e4f41aaeb3ff3ca8a3f442a31313d2e3b418e4762757ad7f8e8b22dd61a25aefee2")]
    [InlineData(ToInitiator, "04020012000000000000000000000001020304",
        "56740f84d7194d149ef364484ad4b544029a30e7d5967b39f02d1cff701627b6eb5ced")]
    public void Probes_of_the_reference_are_sealed_and_opened(string key, string plain, string expected)
    {
        DatagramKey datagramKey = new(SessionFormat.Sptps, DataSuite.TincChaCha20Poly1305, [.. Convert.FromHexString(key), .. new byte[32]]);
        byte[] record = Convert.FromHexString(plain), output = new byte[record.Length + 16];
        Assert.Equal(19, record.Length);
        datagramKey.Seal(2, record, output);
        Assert.Equal(expected, Convert.ToHexStringLower(output));
        Assert.True(datagramKey.TryOpen(2, output, output));
        Assert.Equal(record, output[..^16]);

        byte[] datagram = Convert.FromHexString("00000002" + expected);
        Assert.True(datagramKey.Verifies(datagram));
        datagram[3]++;
        Assert.False(datagramKey.Verifies(datagram));
        Assert.False(datagramKey.Verifies(datagram.AsSpan(0, 20)));
        Assert.False(datagramKey.Verifies(default));
    }

    /// <summary>Nonce of four zero bytes and the sequence number, which is the associated data too.</summary>
    [Theory]
    [InlineData(DataSuite.Aes256Gcm)]
    [InlineData(DataSuite.ChaCha20Poly1305)]
    public void Records_of_FastMesh_are_those_of_NETs_AEADs(DataSuite suite)
    {
        const ulong Sequence = 0x0001_0203_0405_0607;
        byte[] key = RandomNumberGenerator.GetBytes(32), plain = RandomNumberGenerator.GetBytes(100), output = new byte[116], expected = new byte[116];
        byte[] number = new byte[8];
        BinaryPrimitives.WriteUInt64BigEndian(number, Sequence);
        DatagramKey datagramKey = new(SessionFormat.FastMesh, suite, key);
        datagramKey.Seal(Sequence, plain, output);
        if (suite == DataSuite.Aes256Gcm)
        {
            using AesGcm gcm = new(key, 16);
            gcm.Encrypt([0, 0, 0, 0, .. number], plain, expected.AsSpan(0, 100), expected.AsSpan(100), number);
        }
        else
        {
            using ChaCha20Poly1305 chacha = new(key);
            chacha.Encrypt([0, 0, 0, 0, .. number], plain, expected.AsSpan(0, 100), expected.AsSpan(100), number);
        }

        Assert.Equal(expected, output);
        Assert.True(datagramKey.Verifies([.. number, .. output]));
        Assert.Equal(8, datagramKey.SequenceLength);
        Assert.False(datagramKey.TryOpen(Sequence + 1, output, plain));
    }

    [Fact]
    public void Keys_that_cannot_be_are_refused()
    {
        Assert.Throws<ArgumentException>(() => new DatagramKey(SessionFormat.Sptps, DataSuite.TincChaCha20Poly1305, new byte[31]));
        Assert.Throws<ArgumentException>(() => new DatagramKey(SessionFormat.Sptps, DataSuite.Aes256Gcm, new byte[32]));
        Assert.Throws<ArgumentException>(() => new DatagramKey(SessionFormat.FastMesh, DataSuite.TincChaCha20Poly1305, new byte[32]));
        Assert.Throws<ArgumentException>(() => new DatagramKey(SessionFormat.Legacy, DataSuite.Aes256Gcm, new byte[32]));
        DatagramKey key = new(SessionFormat.FastMesh, DataSuite.Aes256Gcm, new byte[64]);
        Assert.Throws<ArgumentException>(() => key.Seal(0, new byte[10], new byte[25]));
    }
}
