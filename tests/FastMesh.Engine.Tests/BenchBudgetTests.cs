using FastMesh.Bench;

namespace FastMesh.Engine.Tests;

public sealed class BenchBudgetTests
{
    [Fact]
    public void Every_benchmark_stays_within_its_allocation_budget()
    {
        Budgets budgets = Budgets.Load();
        Case[] all = [.. Case.All()];
        Assert.NotEmpty(all);
        Assert.All(all, one =>
        {
            using (one)
                Assert.InRange(Budgets.MeasureBytes(one), 0, budgets.BytesOf(one));
        });
    }

    /// <summary>Times are not compared here but by <c>make bench</c>.</summary>
    [Fact]
    public void Every_benchmark_has_a_time_budget_and_every_budget_a_benchmark() => Assert.Equal(
        Case.All().Select(one => one.ToString()).Order(StringComparer.Ordinal),
        Budgets.Load().Ratios.SelectMany(entry => entry.Value.Keys.Select(key => $"{entry.Key} {key}".TrimEnd())).Order(StringComparer.Ordinal));
}
