using System.Reflection;
using FastMesh.Bench;

namespace FastMesh.Engine.Tests;

public sealed class BenchBudgetTests
{
    [Fact]
    public void Every_benchmark_stays_within_its_allocation_budget()
    {
        (MethodInfo Benchmark, long? Bytes)[] all = [.. Budgets.All()];
        Assert.NotEmpty(all);
        Assert.All(all, entry =>
        {
            string name = $"{entry.Benchmark.DeclaringType!.Name}.{entry.Benchmark.Name}";
            Assert.True(entry.Bytes is not null, $"{name} has no budget in bench/FastMesh.Bench/budgets.json");
            Assert.InRange(Budgets.Measure(entry.Benchmark), 0, entry.Bytes.Value);
        });
    }
}
