using System.Text.Json;

namespace FastMesh.Bench;

/// <summary>
/// What benchmarks may cost, <c>budgets.json</c>: bytes allocated per call, 0 unless listed; and time as a multiple of <see cref="ReferenceBench"/> in the
/// same run, so that the numbers mean the same on a fast and on a slow machine.
/// </summary>
/// <param name="Bytes">By class and method: control plane only.</param>
/// <param name="Ratios">By class and method, then by parameters.</param>
public sealed record Budgets(SortedDictionary<string, long> Bytes, SortedDictionary<string, Dictionary<string, double>> Ratios)
{
    private const int WarmUp = 50, Calls = 50;
    private const string FileName = "budgets.json";
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };

    /// <summary>The committed ones.</summary>
    public static Budgets Load() =>
        JsonSerializer.Deserialize<Budgets>(File.ReadAllText(Path.Combine(AppContext.BaseDirectory, FileName)), s_json)
        ?? throw new InvalidDataException($"{FileName} is empty");

    /// <summary>Writes them into a directory.</summary>
    public void Save(string directory) => File.WriteAllText(Path.Combine(directory, FileName), JsonSerializer.Serialize(this, s_json) + "\n");

    /// <summary>Bytes that a call may allocate.</summary>
    public long BytesOf(Case benchmark) => Bytes.GetValueOrDefault(benchmark.Name);

    /// <summary>Multiple of the reference that an operation may take, or null if nothing is said.</summary>
    public double? RatioOf(Case benchmark) =>
        Ratios.TryGetValue(benchmark.Name, out Dictionary<string, double>? ratios) && ratios.TryGetValue(benchmark.Parameters, out double ratio) ? ratio : null;

    /// <summary>Bytes that a warm call allocates on the calling thread.</summary>
    public static long MeasureBytes(Case benchmark)
    {
        Action call = benchmark.Call();
        for (int i = 0; i < WarmUp; i++)
            call();
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Calls; i++)
            call();
        return (GC.GetAllocatedBytesForCurrentThread() - before) / Calls;
    }
}
