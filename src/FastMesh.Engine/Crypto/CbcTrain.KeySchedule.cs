using System.Buffers.Binary;
using System.Runtime.Intrinsics;
using Aes = System.Runtime.Intrinsics.X86.Aes;

namespace FastMesh.Engine.Crypto;

internal sealed unsafe partial class CbcTrain
{
    /// <summary>
    /// Key expansion (FIPS 197, 5.2) for all three key lengths, word by word; runs once per key. AESKEYGENASSIST computes SubWord, so no
    /// table is looked up at a secret place.
    /// </summary>
    private static void Expand(ReadOnlySpan<byte> key, uint* words)
    {
        int keyWords = key.Length / 4, count = 4 * (keyWords + 7);
        for (int i = 0; i < keyWords; i++)
            words[i] = BinaryPrimitives.ReadUInt32LittleEndian(key[(4 * i)..]);

        uint roundConstant = 1;
        for (int i = keyWords; i < count; i++)
        {
            uint word = words[i - 1];
            if (i % keyWords == 0)
            {
                word = uint.RotateRight(SubWord(word), 8) ^ roundConstant;
                roundConstant = (roundConstant << 1) ^ (roundConstant >= 0x80 ? 0x11Bu : 0);
            }
            else if (keyWords > 6 && i % keyWords == 4)
            {
                word = SubWord(word);
            }

            words[i] = words[i - keyWords] ^ word;
        }
    }

    private static uint SubWord(uint word) => Aes.KeygenAssist(Vector128.Create(word).AsByte(), 0).AsUInt32()[0];
}
