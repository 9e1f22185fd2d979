using BenchmarkDotNet.Attributes;

namespace FastMesh.Bench;

/// <summary>
/// What budgets are multiples of: a fixed piece of work whose time depends on the processor and nothing of ours; half of it waits for the multiplier, half
/// of it copies within the first and second cache. About 1 to 2 microseconds.
/// </summary>
[MemoryDiagnoser]
public class ReferenceBench
{
    private const int Multiplications = 800;
    private readonly byte[] _from = new byte[32768], _to = new byte[32768];
    private ulong _value = 1;

    [Benchmark]
    public ulong Work()
    {
        _from.CopyTo(_to, 0);
        ulong value = _value;
        for (int i = 0; i < Multiplications; i++)
            value = unchecked((value * 0x9e37_79b9_7f4a_7c15) + 1);
        return _value = value;
    }
}
