using System.Security.Cryptography;
using FastMesh.Native.Crypto;

namespace FastMesh.Native.Tests.Crypto;

public sealed class CbcDecryptorTests
{
    [SkippableFact]
    public void It_is_used_where_ipsec_mb_is_installed()
    {
        Skip.IfNot(File.Exists("/usr/lib/x86_64-linux-gnu/libIPSec_MB.so.1") || File.Exists("/usr/lib/x86_64-linux-gnu/libIPSec_MB.so.2"),
            "ipsec-mb is not installed");
        Assert.True(CbcDecryptor.IsAvailable);
    }

    /// <summary>NIST SP 800-38A, F.2.2, F.2.4 and F.2.6: CBC-AES decryption, with the padding block of PKCS#7 behind it as .NET encrypts it.</summary>
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
    public void Nist_vectors_come_out(string key, string cipherText)
    {
        Skip.IfNot(CbcDecryptor.IsAvailable, "ipsec-mb is not installed");
        const string Plain = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411e5fbc1191a0a52eff69f2445df4f9b17ad2b417be66c3710";
        byte[] iv = Convert.FromHexString("000102030405060708090a0b0c0d0e0f"), vector = Convert.FromHexString(cipherText);
        using Aes aes = Aes.Create();
        aes.Key = Convert.FromHexString(key);
        byte[] padding = aes.EncryptCbc([], vector.AsSpan(^16));
        byte[] output = new byte[80];
        using CbcDecryptor decryptor = new(aes.Key, iv);

        Assert.Equal(64, decryptor.Decrypt([.. vector, .. padding], output));
        Assert.Equal(Plain, Convert.ToHexStringLower(output, 0, 64));
    }

    [SkippableTheory]
    [InlineData(16)]
    [InlineData(24)]
    [InlineData(32)]
    public void Packets_of_all_lengths_agree_with_NET_in_place_too_and_nothing_else_is_written(int keyLength)
    {
        Skip.IfNot(CbcDecryptor.IsAvailable, "ipsec-mb is not installed");
        int seed = Environment.TickCount;
        Random random = new(seed);
        byte[] key = new byte[keyLength], iv = new byte[16], output = new byte[2048];
        random.NextBytes(key);
        random.NextBytes(iv);
        using Aes aes = Aes.Create();
        aes.Key = key;
        using CbcDecryptor decryptor = new(key, iv);
        for (int length = 0; length < 1700; length++)
        {
            byte[] plain = new byte[length];
            random.NextBytes(plain);
            byte[] cipherText = aes.EncryptCbc(plain, iv);
            int at = random.Next(64);
            output.AsSpan().Fill(0xA5);

            Assert.Equal(length, decryptor.Decrypt(cipherText, output.AsSpan(at, cipherText.Length)));
            Assert.True(output.AsSpan(at, length).SequenceEqual(plain), $"seed {seed}, length {length}");
            Assert.True(output.AsSpan(0, at).IndexOfAnyExcept((byte)0xA5) < 0 && output.AsSpan(at + cipherText.Length).IndexOfAnyExcept((byte)0xA5) < 0);

            cipherText.CopyTo(output.AsSpan(at));
            Assert.Equal(length, decryptor.Decrypt(output.AsSpan(at, cipherText.Length), output.AsSpan(at)));
            Assert.True(output.AsSpan(at, length).SequenceEqual(plain), $"in place, seed {seed}, length {length}");
        }
    }

    [SkippableFact]
    public void What_cannot_be_a_packet_is_refused()
    {
        Skip.IfNot(CbcDecryptor.IsAvailable, "ipsec-mb is not installed");
        byte[] key = new byte[32], iv = new byte[16], output = new byte[64];
        using Aes aes = Aes.Create();
        aes.Key = key;
        CbcDecryptor decryptor = new(key, iv);
        byte[] genuine = aes.EncryptCbc(new byte[40], iv);
        Assert.Equal(40, decryptor.Decrypt(genuine, output));
        Assert.Equal(-1, decryptor.Decrypt([], output));
        Assert.Equal(-1, decryptor.Decrypt(genuine.AsSpan(..^1), output));
        Assert.Equal(-1, decryptor.Decrypt(genuine, output.AsSpan(0, 47)));
        foreach (string end in new[] { "00", "11", "0302" + "03", "FF" }) // a last byte of 0, 17, one of three that differs, 255
        {
            byte[] plain = new byte[48];
            Convert.FromHexString(end).CopyTo(plain, plain.Length - (end.Length / 2));
            Assert.Equal(-1, decryptor.Decrypt(aes.EncryptCbc(plain, iv, PaddingMode.None), output));
        }

        decryptor.Dispose();
        Assert.Equal(-1, decryptor.Decrypt(genuine, output));
    }

    [SkippableFact]
    public void Decrypting_allocates_nothing()
    {
        Skip.IfNot(CbcDecryptor.IsAvailable, "ipsec-mb is not installed");
        using CbcDecryptor decryptor = new(new byte[32], new byte[16]);
        byte[] input = new byte[1424], output = new byte[1424];
        AllocationAssert.None(() => decryptor.Decrypt(input, output));
    }
}
