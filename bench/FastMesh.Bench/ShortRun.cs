using System.Globalization;
using System.Runtime.CompilerServices;

namespace FastMesh.Bench;

/// <summary>
/// All benchmarks in a minute of processor time, against their budgets. Each is timed in turns with the reference, in slices short enough that some of them
/// are not disturbed, and the fastest slices count: what a busy machine adds to one it adds to the other. Pauses, such as those that tincd 1.0 is given,
/// do not count.
/// </summary>
internal static class ShortRun
{
    private const int Slices = 15, Attempts = 4;
    private const double FirstWarmUp = 0.25, WarmUp = 0.03, Slice = 0.001; // seconds
    private const double Slack = 1.6; // between what was measured and the budget: other processors of the same family, noise

    /// <summary>Measures and prints; returns the number of benchmarks beyond their budget.</summary>
    /// <param name="filter">Part of the name, or empty for all.</param>
    /// <param name="update">Whether to write what was measured, and some slack, to <c>budgets.json</c>.</param>
    public static int Run(string filter, bool update)
    {
        Budgets budgets = Budgets.Load();
        using Case reference = Case.All().Single(one => one.Method.DeclaringType == typeof(ReferenceBench));
        Repeat(reference.Call(), FirstWarmUp);
        HashSet<string> warm = [];
        int failures = 0;
        double fastestReference = double.MaxValue; // nanoseconds
        Console.WriteLine($"{"benchmark",-70} {"ns",12} {"ratio",9} {"budget",9} {"bytes",7}");
        foreach (Case one in Case.All().Where(one => one.ToString().Contains(filter, StringComparison.OrdinalIgnoreCase)))
        {
            using Case benchmark = one;
            long bytes = Budgets.MeasureBytes(benchmark);
            double? budget = budgets.RatioOf(benchmark);
            Repeat(benchmark.Call(), warm.Add(benchmark.Name) ? FirstWarmUp : WarmUp);
            (double nanoseconds, double ratio) = Measure(benchmark, reference.Call(), update ? 0 : budget ?? double.MaxValue);
            fastestReference = Math.Min(fastestReference, nanoseconds / ratio);
            string verdict = bytes > budgets.BytesOf(benchmark) ? "  ALLOCATES" : budget is null && !update ? "  NO BUDGET" : !update && ratio > budget ? "  TOO SLOW" : "";
            failures += verdict.Length > 0 ? 1 : 0;
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{benchmark,-70} {nanoseconds,12:F1} {ratio,9:G3} {budget,9:G3} {bytes,7}{verdict}"));
            if (update)
                Note(budgets, benchmark, nanoseconds / fastestReference); // a disturbed reference would make too small a budget
        }

        if (update)
            budgets.Save(SourceDirectory());
        return failures;
    }

    /// <summary>Nanoseconds of an operation, and what multiple of the reference that is; again if it is beyond the budget.</summary>
    private static (double Nanoseconds, double Ratio) Measure(Case benchmark, Action reference, double budget)
    {
        Action call = benchmark.Call();
        (double Nanoseconds, double Ratio) best = (double.MaxValue, double.MaxValue);
        for (int attempt = 0; attempt == 0 || (attempt < Attempts && best.Ratio > budget); attempt++)
        {
            if (attempt > 0)
                Repeat(call, FirstWarmUp); // the compiler may have had no time for the method yet
            double fastest = double.MaxValue, fastestReference = double.MaxValue;
            for (int i = 0; i < Slices; i++)
            {
                fastest = Math.Min(fastest, Repeat(call, Slice) / benchmark.Operations);
                fastestReference = Math.Min(fastestReference, Repeat(reference, Slice));
            }

            double ratio = fastest / fastestReference;
            best = ratio < best.Ratio ? (fastest * 1e9, ratio) : best;
        }

        return best;
    }

    /// <summary>Calls for at least that many seconds of the thread's processor time; seconds per call.</summary>
    private static double Repeat(Action call, double seconds)
    {
        double start = ThreadClock.Now, now;
        int calls = 0, burst = 1;
        do
        {
            for (int i = 0; i < burst; i++)
                call();
            calls += burst;
            burst = calls; // reading the clock costs more than the shortest benchmarks
            now = ThreadClock.Now;
        }
        while (now < start + seconds);
        return (now - start) / calls;
    }

    private static void Note(Budgets budgets, Case benchmark, double ratio)
    {
        if (!budgets.Ratios.TryGetValue(benchmark.Name, out Dictionary<string, double>? ratios))
            budgets.Ratios[benchmark.Name] = ratios = [];
        ratios[benchmark.Parameters] = double.Parse((ratio * Slack).ToString("G2", CultureInfo.InvariantCulture), CultureInfo.InvariantCulture);
    }

    private static string SourceDirectory([CallerFilePath] string file = "") => Path.GetDirectoryName(file)!;
}
