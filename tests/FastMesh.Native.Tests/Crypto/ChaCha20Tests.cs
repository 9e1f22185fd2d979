using FastMesh.Native.Crypto;

namespace FastMesh.Native.Tests.Crypto;

/// <summary>Our key stream against RFC 8439, a plain implementation written from it, and libsodium.</summary>
public sealed unsafe class ChaCha20Tests
{
    private const string Counting = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

    /// <summary>RFC 8439, 2.3.2 and appendix A.1 (1, 2, 3 and 5): the block at a counter, whichever lane of which width computes it.</summary>
    [SkippableTheory]
    [InlineData(Counting, "000000090000004a00000000", 1,
        "10f1e7e4d13b5915500fdd1fa32071c4c7d1f4c733c068030422aa9ac3d46c4ed2826446079faa0914c2d705d98b02a2b5129cd1de164eb9cbd083e8a2503c4e")]
    [InlineData("", "", 0,
        "76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586")]
    [InlineData("", "", 1,
        "9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f")]
    [InlineData("01", "", 1,
        "3aeb5224ecf849929b9d828db1ced4dd832025e8018b8160b82284f3c949aa5a8eca00bbb4a73bdad192b5c42f73f2fd4e273644c8b36125a64addeb006c13a0")]
    [InlineData("", "02", 0,
        "c2c64d378cd536374ae204b9ef933fcd1a8b2288b3dfa49672ab765b54ee27c78a970e0e955c14f3a88e741b97c286f75f8fc299e8148362fa198a39531bed6d")]
    public void Blocks_are_those_of_RFC_8439(string key, string nonce, uint counter, string expected)
    {
        Skip.IfNot(ChaCha20.IsSupported, "the processor has no AVX2");
        // Those of the appendix are zero but for their last byte.
        byte[] k = Convert.FromHexString(key.PadLeft(64, '0')), n = Convert.FromHexString(nonce.PadLeft(24, '0'));
        foreach (int lane in (int[])[0, 1, 5, 7, 8, 13, 15])
        {
            foreach (int wanted in (int[])[512, ChaCha20.MaxStream])
            {
                byte[] stream = Generate(k, n, unchecked(counter - (uint)lane), wanted);
                if (lane < stream.Length / ChaCha20.Block)
                    Assert.Equal(expected, Convert.ToHexStringLower(stream.AsSpan(lane * ChaCha20.Block, ChaCha20.Block)));
            }
        }
    }

    [SkippableFact]
    public void Random_keys_nonces_and_counters_give_what_a_plain_implementation_gives()
    {
        Skip.IfNot(ChaCha20.IsSupported, "the processor has no AVX2");
        int seed = Environment.TickCount;
        Random random = new(seed);
        byte[] key = new byte[32], nonce = new byte[12];
        for (int round = 0; round < 200; round++)
        {
            random.NextBytes(key);
            random.NextBytes(nonce);
            uint counter = (uint)random.NextInt64(round % 3 == 0 ? 20 : uint.MaxValue - 20);
            byte[] stream = Generate(key, nonce, counter, random.Next(1, 3000));
            for (int block = 0; block < stream.Length / ChaCha20.Block; block++)
            {
                byte[] expected = PlainBlock(key, nonce, counter + (uint)block);
                Assert.True(stream.AsSpan(block * ChaCha20.Block, ChaCha20.Block).SequenceEqual(expected), $"seed {seed}, round {round}, block {block}");
            }
        }
    }

    [Fact]
    public void Exclusive_or_takes_any_length_and_alignment_also_in_place()
    {
        int seed = Environment.TickCount;
        Random random = new(seed);
        byte[] from = new byte[400], stream = new byte[400], to = new byte[400];
        random.NextBytes(from);
        random.NextBytes(stream);
        for (int length = 0; length < 300; length++)
        {
            int a = random.Next(64), b = random.Next(64), c = random.Next(64);
            byte[] expected = [.. Enumerable.Range(0, length).Select(i => (byte)(from[a + i] ^ stream[b + i]))];
            to.AsSpan().Fill(0xA5);
            fixed (byte* f = from, s = stream, t = to)
            {
                ChaCha20.Xor(f + a, s + b, length, t + c);
                Assert.True(to.AsSpan(c, length).SequenceEqual(expected), $"seed {seed}, length {length}");
                Assert.True(to.AsSpan(0, c).IndexOfAnyExcept((byte)0xA5) < 0 && to.AsSpan(c + length).IndexOfAnyExcept((byte)0xA5) < 0, $"seed {seed}");
                ChaCha20.Xor(t + c, s + b, length, t + c);
            }

            Assert.True(to.AsSpan(c, length).SequenceEqual(from.AsSpan(a, length)), $"seed {seed}, in place, length {length}");
        }
    }

    private static byte[] Generate(byte[] key, byte[] nonce, uint counter, int wanted)
    {
        byte[] stream = new byte[ChaCha20.MaxStream + 1];
        stream[^1] = 0xA5;
        fixed (byte* k = key, n = nonce, s = stream)
        {
            int written = ChaCha20.Generate(k, n, counter, wanted, s);
            Assert.True(written is > 0 and <= ChaCha20.MaxStream && written % ChaCha20.Block == 0 && stream[^1] == 0xA5);
            return stream[..written];
        }
    }

    /// <summary>RFC 8439, 2.1 to 2.3, word for word.</summary>
    private static byte[] PlainBlock(byte[] key, byte[] nonce, uint counter)
    {
        uint[] initial = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, .. Words(key), counter, .. Words(nonce)];
        uint[] s = [.. initial];
        for (int i = 0; i < 10; i++)
        {
            for (int column = 0; column < 4; column++)
                QuarterRound(s, column, column + 4, column + 8, column + 12);
            for (int diagonal = 0; diagonal < 4; diagonal++)
                QuarterRound(s, diagonal, 4 + ((diagonal + 1) % 4), 8 + ((diagonal + 2) % 4), 12 + ((diagonal + 3) % 4));
        }

        return [.. s.Zip(initial, static (x, y) => unchecked(x + y)).SelectMany(BitConverter.GetBytes)];
    }

    private static void QuarterRound(uint[] s, int a, int b, int c, int d)
    {
        unchecked
        {
            s[d] = uint.RotateLeft(s[d] ^ (s[a] += s[b]), 16);
            s[b] = uint.RotateLeft(s[b] ^ (s[c] += s[d]), 12);
            s[d] = uint.RotateLeft(s[d] ^ (s[a] += s[b]), 8);
            s[b] = uint.RotateLeft(s[b] ^ (s[c] += s[d]), 7);
        }
    }

    private static IEnumerable<uint> Words(byte[] bytes) => bytes.Chunk(4).Select(static word => BitConverter.ToUInt32(word));
}
