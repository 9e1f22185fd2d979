using System.Globalization;

namespace FastMesh.Fuzz;

/// <summary>
/// Runs every target over its corpus and over random and mutated inputs: 10,000 each, or FASTMESH_FUZZ_COUNT of them for a long
/// night. FASTMESH_FUZZ_SEED repeats a run; a failure prints the seed and the input.
/// </summary>
public class FuzzTests
{
    private static readonly FuzzTarget[] s_targets =
        [.. typeof(FuzzTarget).Assembly.GetTypes().Where(type => type.IsSubclassOf(typeof(FuzzTarget)) && !type.IsAbstract)
            .OrderBy(type => type.Name, StringComparer.Ordinal).Select(type => (FuzzTarget)Activator.CreateInstance(type)!)];

    public static TheoryData<string> Targets => [.. s_targets.Select(target => target.Name)];

    [Theory]
    [MemberData(nameof(Targets))]
    public void Survives_random_and_mutated_input(string name)
    {
        FuzzTarget target = s_targets.Single(candidate => candidate.Name == name);
        int seed = Setting("FASTMESH_FUZZ_SEED", Environment.TickCount), count = Setting("FASTMESH_FUZZ_COUNT", 10_000);
        string folder = Path.Combine(AppContext.BaseDirectory, "corpus", name);
        List<byte[]> samples = [.. target.Seeds];
        if (Directory.Exists(folder))
            samples.AddRange(Directory.EnumerateFiles(folder).Order(StringComparer.Ordinal).Select(File.ReadAllBytes));

        using var memory = new GuardedMemory(Math.Max(target.MaxLength, samples.Count == 0 ? 0 : samples.Max(sample => sample.Length)));
        foreach (byte[] sample in samples)
            Feed(target, memory, sample, seed);

        var mutator = new Mutator(seed, samples, target.MaxLength);
        long before = GC.GetTotalMemory(forceFullCollection: true);
        for (int i = 0; i < count / target.Share; i++)
            Feed(target, memory, mutator.Next(), seed);
        long grown = GC.GetTotalMemory(forceFullCollection: true) - before;
        Assert.True(grown < 64 << 20, $"{name} keeps {grown} bytes after {count} inputs, seed {seed}");
    }

    private static void Feed(FuzzTarget target, GuardedMemory memory, byte[] input, int seed)
    {
        Span<byte> place = memory.AtEnd(input.Length);
        input.CopyTo(place);
        try
        {
            target.Run(place);
        }
        catch (Exception failure)
        {
            Assert.Fail($"{target.Name}, seed {seed}, input {Convert.ToHexString(input)}: {failure}");
        }
    }

    private static int Setting(string variable, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable(variable), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value)
            ? value
            : otherwise;
}
