namespace FastMesh.Fuzz;

/// <summary>Makes inputs from a seed: pure noise, and valid inputs with bytes flipped, cut, doubled, joined and replaced.</summary>
internal sealed class Mutator(int seed, IReadOnlyList<byte[]> samples, int maxLength)
{
    private static readonly byte[][] s_interesting =
        ["\0\0\0\0"u8.ToArray(), [255, 255, 255, 255], "-1"u8.ToArray(), "99999999999999999999"u8.ToArray(), "\n"u8.ToArray(), " "u8.ToArray(), "%s%n"u8.ToArray(), [0x80, 0]];

    private readonly Random _random = new(seed);

    public byte[] Next()
    {
        if (samples.Count == 0 || _random.Next(8) == 0)
            return Noise();

        byte[] input = samples[_random.Next(samples.Count)];
        for (int rounds = _random.Next(1, 6); rounds > 0; rounds--)
            input = Mutate(input);
        return input.Length <= maxLength ? input : input[..maxLength];
    }

    private byte[] Noise()
    {
        byte[] bytes = new byte[_random.Next(_random.Next(2) == 0 ? 64 : maxLength)];
        _random.NextBytes(bytes);
        return bytes;
    }

    private byte[] Mutate(byte[] input)
    {
        int at = _random.Next(input.Length + 1);
        switch (_random.Next(6))
        {
            case 0 when input.Length > 0:
                byte[] flipped = [.. input];
                flipped[_random.Next(input.Length)] ^= (byte)(1 << _random.Next(8));
                return flipped;
            case 1:
                return input[..at];
            case 2:
                return [.. input[..at], .. s_interesting[_random.Next(s_interesting.Length)], .. input[at..]];
            case 3 when input.Length > 0:
                int length = _random.Next(1, Math.Min(input.Length, 64) + 1), from = _random.Next(input.Length - length + 1);
                return [.. input[..at], .. input.AsSpan(from, length), .. input[at..]];
            case 4 when input.Length > 0:
                byte[] replaced = [.. input];
                replaced[_random.Next(input.Length)] = (byte)_random.Next(256);
                return replaced;
            default:
                byte[] other = samples[_random.Next(samples.Count)];
                return [.. input[..at], .. other.AsSpan(_random.Next(other.Length + 1))];
        }
    }
}
