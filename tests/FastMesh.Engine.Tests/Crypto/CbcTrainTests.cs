using System.Security.Cryptography;
using FastMesh.Engine.Crypto;
using FastMesh.Native.Crypto;

namespace FastMesh.Engine.Tests.Crypto;

public class CbcTrainTests
{
    private const int Room = 2048;

    /// <summary>NIST SP 800-38A, F.2.1, F.2.3 and F.2.5: CBC-AES encryption. IV and plaintext are the same for all.</summary>
    [SkippableTheory]
    [InlineData(
        "2b7e151628aed2a6abf7158809cf4f3c",
        "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b273bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7")]
    [InlineData(
        "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
        "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd")]
    [InlineData(
        "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
        "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b")]
    public void Nist_vectors_come_out_of_every_lane(string key, string expected)
    {
        Skip.IfNot(CbcTrain.IsSupported, "no AES instructions");
        byte[] iv = Convert.FromHexString("000102030405060708090a0b0c0d0e0f");
        byte[] plain = Convert.FromHexString(
            "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710");
        TrainPacket[] packets = new TrainPacket[11];
        for (int i = 0; i < packets.Length; i++)
            packets[i] = new() { HeaderLength = i, PayloadLength = plain.Length - i, Payload = i, Output = 80 * i };
        byte[] output = new byte[80 * packets.Length];

        new CbcTrain(Convert.FromHexString(key), iv).Encrypt(plain, plain, output, packets);

        for (int i = 0; i < packets.Length; i++)
            Assert.Equal(expected, Convert.ToHexStringLower(output, 80 * i, plain.Length));
    }

    [SkippableTheory]
    [InlineData(16)]
    [InlineData(24)]
    [InlineData(32)]
    public void Trains_of_any_shape_agree_with_two_other_implementations(int keyLength)
    {
        Skip.IfNot(CbcTrain.IsSupported, "no AES instructions");
        int seed = Environment.TickCount;
        Random random = new(seed);
        for (int round = 0; round < 200; round++)
        {
            Peer peer = new(keyLength, random);
            int equal = random.Next(3) == 0 ? -1 : random.Next(1701);
            TrainPacket[] packets = new TrainPacket[random.Next(1, 65)];
            for (int i = 0; i < packets.Length; i++)
            {
                bool last = i == packets.Length - 1;
                int length = equal < 0 ? random.Next(1701) : last ? random.Next(equal + 1) : equal;
                int header = Math.Min(length, random.Next(CbcTrain.MaxHeaderLength + 1));
                packets[i] = peer.Place(i, header, length - header, shift: random.Next(64));
            }

            peer.AssertEncrypts(packets, $"seed {seed}, round {round}");
        }
    }

    [SkippableFact]
    public void Header_and_payload_may_meet_anywhere()
    {
        Skip.IfNot(CbcTrain.IsSupported, "no AES instructions");
        int seed = Environment.TickCount;
        Peer peer = new(32, new Random(seed));
        int[] payloadLengths = [0, 1, 15, 16, 17, 48, 191, 192, 193, 255, 256, 257, 1348, 1355, 1356];
        TrainPacket[] packets = new TrainPacket[9];
        for (int header = 0; header <= CbcTrain.MaxHeaderLength; header++)
        {
            foreach (int payload in payloadLengths)
            {
                for (int i = 0; i < packets.Length; i++)
                    packets[i] = peer.Place(i, header, payload, shift: i);
                peer.AssertEncrypts(packets, $"seed {seed}, header {header}, payload {payload}");
            }
        }
    }

    [SkippableFact]
    public void Packets_of_a_super_packet_lie_end_to_end_on_both_sides()
    {
        Skip.IfNot(CbcTrain.IsSupported, "no AES instructions");
        Peer peer = new(32, new Random(1));
        const int Header = 70, Payload = 1348, Sealed = 1424;
        TrainPacket[] packets = new TrainPacket[46];
        for (int i = 0; i < packets.Length; i++)
        {
            packets[i] = new()
            {
                Header = i * Header,
                HeaderLength = Header,
                Payload = i * Payload,
                PayloadLength = i == 45 ? 100 : Payload,
                Output = i * Sealed,
            };
        }

        peer.AssertEncrypts(packets, "end to end");
    }

    [SkippableFact]
    public void Packets_may_be_overwritten_by_their_ciphertext()
    {
        Skip.IfNot(CbcTrain.IsSupported, "no AES instructions");
        int seed = Environment.TickCount;
        Random random = new(seed);
        byte[] key = new byte[32], iv = new byte[16], memory = new byte[64 * Room];
        random.NextBytes(key);
        CbcTrain train = new(key, iv);
        using Aes aes = Aes.Create();
        aes.Key = key;
        for (int count = 1; count <= 64; count++)
        {
            random.NextBytes(memory);
            TrainPacket[] packets = new TrainPacket[count];
            for (int i = 0; i < count; i++)
            {
                int length = random.Next(1701), header = random.Next(Math.Min(length, CbcTrain.MaxHeaderLength) + 1), at = i * Room;
                packets[i] = new() { Header = at, HeaderLength = header, Payload = at + header, PayloadLength = length - header, Output = at };
            }

            byte[][] expected = [.. packets.Select(packet => aes.EncryptCbc(memory.AsSpan(packet.Header, packet.Length), iv))];
            train.Encrypt(memory, memory, memory, packets);
            for (int i = 0; i < count; i++)
                Assert.True(memory.AsSpan(i * Room, expected[i].Length).SequenceEqual(expected[i]), $"seed {seed}, count {count}, packet {i}");
        }
    }

    [SkippableTheory]
    [InlineData(0, 209, 0, 16, 0)] // header too long
    [InlineData(-1, 16, 0, 16, 0)]
    [InlineData(0, -16, 0, 64, 0)]
    [InlineData(0, 16, 4080, 17, 0)]
    [InlineData(0, 16, 4080, int.MaxValue, 0)]
    [InlineData(0, 16, 0, -1, 0)]
    [InlineData(0, 16, 0, 16, 4096 - 47)] // no room for the padding
    [InlineData(0, 16, 0, 16, -1)]
    public void A_packet_outside_the_memory_is_refused_before_anything_is_written(int header, int headerLength, int payload, int length, int output)
    {
        Skip.IfNot(CbcTrain.IsSupported, "no AES instructions");
        byte[] memory = new byte[4096], to = new byte[4096];
        TrainPacket[] packets =
        [
            new() { HeaderLength = 16, PayloadLength = 16 },
            new() { Header = header, HeaderLength = headerLength, Payload = payload, PayloadLength = length, Output = output },
        ];

        CbcTrain train = new(new byte[32], new byte[16]);

        Assert.Throws<ArgumentException>(() => train.Encrypt(memory, memory, to, packets));
        Assert.Equal(-1, to.AsSpan().IndexOfAnyExcept((byte)0));
    }

    [SkippableFact]
    public void A_train_allocates_nothing()
    {
        Skip.IfNot(CbcTrain.IsSupported, "no AES instructions");
        Peer peer = new(32, new Random(1));
        TrainPacket[] packets = [.. Enumerable.Range(0, 46).Select(i => peer.Place(i, 70, 1348, shift: 0))];
        peer.Encrypt(packets);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 100; i++)
            peer.Encrypt(packets);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    /// <summary>One key in three implementations, and memory for 64 packets.</summary>
    private sealed class Peer
    {
        private const byte Canary = 0xA5;
        private readonly byte[] _headers = new byte[64 * Room], _payloads = new byte[64 * Room], _output = new byte[64 * Room];
        private readonly byte[] _iv = new byte[16];
        private readonly CbcTrain _train;
        private readonly EvpCipherContext _evp;
        private readonly Aes _aes = Aes.Create();

        public Peer(int keyLength, Random random)
        {
            byte[] key = new byte[keyLength];
            random.NextBytes(key);
            random.NextBytes(_iv);
            random.NextBytes(_headers);
            random.NextBytes(_payloads);
            _train = new CbcTrain(key, _iv);
            _evp = EvpCipher.Find($"aes-{8 * keyLength}-cbc")!.CreateContext(key, _iv, encrypt: true);
            _aes.Key = key;
        }

        public TrainPacket Place(int index, int header, int payload, int shift) => new()
        {
            Header = (index * Room) + shift,
            HeaderLength = header,
            Payload = (index * Room) + shift,
            PayloadLength = payload,
            Output = (index * Room) + shift,
        };

        public void Encrypt(TrainPacket[] packets) => _train.Encrypt(_headers, _payloads, _output, packets);

        public void AssertEncrypts(TrainPacket[] packets, string because)
        {
            _output.AsSpan().Fill(Canary);
            Encrypt(packets);
            int end = 0;
            byte[] evp = new byte[Room];
            foreach (TrainPacket packet in packets)
            {
                byte[] plain = [.. _headers.AsSpan(packet.Header, packet.HeaderLength), .. _payloads.AsSpan(packet.Payload, packet.PayloadLength)];
                byte[] expected = _aes.EncryptCbc(plain, _iv);
                ReadOnlySpan<byte> actual = _output.AsSpan(packet.Output, expected.Length);
                Assert.True(actual.SequenceEqual(expected), $"differs from .NET: {because}");
                Assert.Equal(expected.Length, CbcTrain.EncryptedLength(plain.Length));
                Assert.Equal(expected.Length, _evp.Crypt(default, plain, evp));
                Assert.True(actual.SequenceEqual(evp.AsSpan(0, expected.Length)), $"differs from libcrypto: {because}");
                Assert.True(_output.AsSpan(end..packet.Output).IndexOfAnyExcept(Canary) < 0, $"wrote between packets: {because}");
                end = packet.Output + expected.Length;
            }

            Assert.True(_output.AsSpan(end).IndexOfAnyExcept(Canary) < 0, $"wrote behind the train: {because}");
        }
    }
}
