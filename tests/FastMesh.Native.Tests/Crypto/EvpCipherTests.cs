using FastMesh.Native.Crypto;

namespace FastMesh.Native.Tests.Crypto;

public sealed class EvpCipherTests
{
    // NIST SP 800-38A: the four blocks of plain text that every example uses.
    private const string NistPlain =
        "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51"
        + "30c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";

    private const string NistIv = "000102030405060708090a0b0c0d0e0f";
    private const string Key128 = "2b7e151628aed2a6abf7158809cf4f3c";
    private const string Key192 = "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b";
    private const string Key256 = "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4";

    public static TheoryData<string, string, string> Nist => new()
    {
        {
            "aes-128-cbc", Key128, // F.2.1
            "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2"
            + "73bed6b8e3c1743b7116e69e222295163ff1caa1681fac09120eca307586e1a7"
        },
        {
            "aes-192-cbc", Key192, // F.2.3
            "4f021db243bc633d7178183a9fa071e8b4d9ada9ad7dedf4e5e738763f69145a"
            + "571b242012fb7ae07fa9baac3df102e008b0e27988598881d920a9e64f5615cd"
        },
        {
            "aes-256-cbc", Key256, // F.2.5
            "f58c4c04d6e5f1ba779eabfb5f7bfbd69cfc4e967edb808d679f777bc6702c7d"
            + "39f23369a9d9bacfa530e26304231461b2eb05e2c39be9fcda6c19078c6a9d1b"
        },
        {
            "aes-128-cfb", Key128, // F.3.13
            "3b3fd92eb72dad20333449f8e83cfb4ac8a64537a0b3a93fcde3cdad9f1ce58b"
            + "26751f67a3cbb140b1808cf187a4f4dfc04b05357c5d1c0eeac4c66f9ff7f2e6"
        },
        {
            "aes-192-cfb", Key192, // F.3.15
            "cdc80d6fddf18cab34c25909c99a417467ce7f7f81173621961a2b70171d3d7a"
            + "2e1e8a1dd59b88b1c8e60fed1efac4c9c05f9f9ca9834fa042ae8fba584b09ff"
        },
        {
            "aes-256-cfb", Key256, // F.3.17
            "dc7e84bfda79164b7ecd8486985d386039ffed143b28b1c832113c6331e5407b"
            + "df10132415e54b92a13ed0a8267ae2f975a385741ab9cef82031623d55b1e471"
        },
    };

    [Theory]
    [MemberData(nameof(Nist))]
    public void Published_AES_vectors_hold_in_both_directions(string name, string key, string expected)
    {
        byte[] plain = Convert.FromHexString(NistPlain), iv = Convert.FromHexString(NistIv);
        EvpCipher cipher = EvpCipher.Find(name)!;
        using EvpCipherContext encrypt = cipher.CreateContext(Convert.FromHexString(key), [], encrypt: true);
        using EvpCipherContext decrypt = cipher.CreateContext(Convert.FromHexString(key), [], encrypt: false);
        byte[] output = new byte[encrypt.EncryptedLength(plain.Length)];
        int length = encrypt.Crypt(iv, plain, output);
        Assert.Equal(output.Length, length);
        Assert.Equal(expected, Convert.ToHexStringLower(output.AsSpan(0, plain.Length)));
        byte[] back = new byte[length];
        Assert.Equal(plain.Length, decrypt.Crypt(iv, output, back));
        Assert.Equal(plain, back[..plain.Length]);
    }

    // tinc 1.0 reference, 5.1
    [Theory]
    [InlineData("aes-128-cbc", 419, 16, 16, 16, CipherMode.Cbc)]
    [InlineData("AES-256-CBC", 427, 32, 16, 16, CipherMode.Cbc)]
    [InlineData("aes256", 427, 32, 16, 16, CipherMode.Cbc)]
    [InlineData("des-ede3-cbc", 44, 24, 8, 8, CipherMode.Cbc)]
    [InlineData("Camellia-256-CBC", 753, 32, 16, 16, CipherMode.Cbc)]
    [InlineData("aes-256-cfb", 429, 32, 16, 1, CipherMode.Cfb)]
    [InlineData("aes-256-ctr", 906, 32, 16, 1, CipherMode.Ctr)]
    public void A_cipher_is_found_by_name_in_any_case_and_by_number(string name, int nid, int key, int iv, int block, CipherMode mode)
    {
        EvpCipher cipher = EvpCipher.Find(name)!;
        Assert.Equal((nid, key, iv, block, mode), (cipher.Nid, cipher.KeyLength, cipher.IvLength, cipher.BlockSize, cipher.Mode));
        Assert.True(cipher.IsUsable);
        Assert.Same(cipher, EvpCipher.Find(nid));
    }

    [Theory]
    [InlineData("bf-cbc", 91)]
    [InlineData("cast5-cbc", 108)]
    [InlineData("aes-256-gcm", 901)]
    public void Legacy_and_authenticated_ciphers_are_known_but_not_usable(string name, int nid)
    {
        EvpCipher cipher = EvpCipher.Find(name)!;
        Assert.Equal(nid, cipher.Nid);
        Assert.False(cipher.IsUsable);
        Assert.Throws<ArgumentException>(() => cipher.CreateContext(new byte[cipher.KeyLength], [], true));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(-1)]
    [InlineData(int.MaxValue)]
    [InlineData(672)] // a digest
    public void An_unknown_number_finds_nothing(int nid) => Assert.Null(EvpCipher.Find(nid));

    [Fact]
    public void An_unknown_name_finds_nothing() => Assert.Null(EvpCipher.Find("rot13"));

    [Fact]
    public void A_key_or_IV_of_another_length_is_refused()
    {
        EvpCipher cipher = EvpCipher.Find("aes-128-cbc")!;
        Assert.Throws<ArgumentException>(() => cipher.CreateContext(new byte[15], [], true));
        Assert.Throws<ArgumentException>(() => cipher.CreateContext(new byte[16], new byte[8], true));
        using EvpCipherContext context = cipher.CreateContext(new byte[16], [], true);
        Assert.Equal(-1, context.Crypt(new byte[15], new byte[16], new byte[32]));
    }

    [Fact]
    public void A_short_output_is_refused_and_the_next_packet_is_unharmed()
    {
        using EvpCipherContext context = EvpCipher.Find("aes-128-cbc")!.CreateContext(new byte[16], new byte[16], true);
        byte[] first = new byte[48], second = new byte[48];
        Assert.Equal(48, context.Crypt([], new byte[32], first));
        Assert.Equal(-1, context.Crypt([], new byte[32], new byte[47]));
        Assert.Equal(48, context.Crypt([], new byte[32], second));
        Assert.Equal(first, second);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    [InlineData(16)]
    [InlineData(17)]
    [InlineData(1500)]
    public void Every_length_survives_the_round_trip_in_place(int length)
    {
        byte[] key = new byte[32], iv = new byte[16], buffer = new byte[length + 16];
        new Random(length).NextBytes(buffer);
        byte[] plain = buffer[..length];
        EvpCipher cipher = EvpCipher.Find("aes-256-cbc")!;
        using EvpCipherContext encrypt = cipher.CreateContext(key, [], true), decrypt = cipher.CreateContext(key, [], false);
        int sealedLength = encrypt.Crypt(iv, buffer.AsSpan(0, length), buffer);
        Assert.Equal(((length / 16) + 1) * 16, sealedLength);
        Assert.Equal(length, decrypt.Crypt(iv, buffer.AsSpan(0, sealedLength), buffer));
        Assert.Equal(plain, buffer[..length]);
    }

    [Fact]
    public void Wrong_padding_or_a_partial_block_is_refused()
    {
        EvpCipher cipher = EvpCipher.Find("aes-128-cbc")!;
        using EvpCipherContext decrypt = cipher.CreateContext(new byte[16], new byte[16], false);
        // .NET's own AES makes blocks whose last bytes are chosen freely.
        using System.Security.Cryptography.Aes aes = System.Security.Cryptography.Aes.Create();
        aes.Key = new byte[16];
        byte[] output = new byte[32];
        foreach (byte[] end in new byte[][] { [0], [17], [255], [1, 2], [3, 2, 3] })
        {
            byte[] plain = new byte[32];
            end.CopyTo(plain, 32 - end.Length);
            byte[] packet = aes.EncryptCbc(plain, new byte[16], System.Security.Cryptography.PaddingMode.None);
            Assert.Equal(-1, decrypt.Crypt([], packet, output));
        }
        Assert.Equal(-1, decrypt.Crypt([], new byte[31], output));
        Assert.Equal(-1, decrypt.Crypt([], [], output));
    }

    [Fact]
    public void Sealing_and_opening_a_packet_allocates_nothing()
    {
        EvpCipher cipher = EvpCipher.Find("aes-256-cbc")!;
        using EvpCipherContext encrypt = cipher.CreateContext(new byte[32], [], true), decrypt = cipher.CreateContext(new byte[32], [], false);
        using HmacContext hmac = new(EvpDigest.Find("sha256")!, new byte[48]);
        using HmacContext other = new(EvpDigest.Find("sha512")!, new byte[48]);
        byte[] iv = new byte[16], packet = new byte[1500], plain = new byte[1400], tag = new byte[4];
        void Round()
        {
            int length = encrypt.Crypt(iv, plain, packet);
            hmac.Compute(packet.AsSpan(0, length), tag);
            other.Compute(packet.AsSpan(0, length), tag);
            hmac.Verify(packet.AsSpan(0, length), tag);
            decrypt.Crypt(iv, packet.AsSpan(0, length), packet);
        }
        AllocationAssert.None(Round);
    }
}
