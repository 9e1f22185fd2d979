using System.Reflection;
using System.Text.Json;
using BenchmarkDotNet.Attributes;

namespace FastMesh.Bench;

/// <summary>What each benchmark may allocate per call, in bytes: <c>budgets.json</c>, by class and method.</summary>
public static class Budgets
{
    private const int WarmUp = 50, Calls = 50;

    /// <summary>Every benchmark with its budget, or null if it has none.</summary>
    public static IEnumerable<(MethodInfo Benchmark, long? Bytes)> All()
    {
        string file = Path.Combine(AppContext.BaseDirectory, "budgets.json");
        Dictionary<string, long> budgets = JsonSerializer.Deserialize<Dictionary<string, long>>(File.ReadAllText(file)) ?? [];
        return from type in typeof(Budgets).Assembly.GetTypes()
               from method in type.GetMethods()
               where method.GetCustomAttribute<BenchmarkAttribute>() is not null
               select (method, budgets.TryGetValue($"{type.Name}.{method.Name}", out long bytes) ? (long?)bytes : null);
    }

    /// <summary>The most bytes that a warm call allocates under any combination of the benchmark's parameters.</summary>
    public static long Measure(MethodInfo benchmark)
    {
        Type type = benchmark.DeclaringType!;
        long most = 0;
        foreach (object instance in Instances(type))
        {
            Array.ForEach([.. type.GetMethods().Where(method => method.GetCustomAttribute<GlobalSetupAttribute>() is not null)], setup => setup.Invoke(instance, null));
            Action call = Call(benchmark, instance);
            for (int i = 0; i < WarmUp; i++)
                call();
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < Calls; i++)
                call();
            most = Math.Max(most, (GC.GetAllocatedBytesForCurrentThread() - before) / Calls);
        }

        return most;
    }

    /// <summary>A delegate of the method's own type, so that the call itself boxes no result.</summary>
    private static Action Call(MethodInfo benchmark, object instance)
    {
        if (benchmark.ReturnType == typeof(void))
            return benchmark.CreateDelegate<Action>(instance);
        MethodInfo discard = typeof(Budgets).GetMethod(nameof(Discard), BindingFlags.NonPublic | BindingFlags.Static)!;
        return (Action)discard.MakeGenericMethod(benchmark.ReturnType).Invoke(null, [benchmark, instance])!;
    }

    private static Action Discard<T>(MethodInfo benchmark, object instance)
    {
        Func<T> call = benchmark.CreateDelegate<Func<T>>(instance);
        return () => _ = call();
    }

    private static IEnumerable<object> Instances(Type type)
    {
        IEnumerable<object> instances = [Activator.CreateInstance(type)!];
        foreach (PropertyInfo property in type.GetProperties())
        {
            if (property.GetCustomAttribute<ParamsAttribute>() is { } parameter)
                instances = [.. instances.SelectMany(instance => parameter.Values.Select(value => With(type, instance, property, value)))];
        }

        return instances;
    }

    private static object With(Type type, object instance, PropertyInfo property, object? value)
    {
        object copy = Activator.CreateInstance(type)!;
        foreach (PropertyInfo other in type.GetProperties().Where(other => other.GetCustomAttribute<ParamsAttribute>() is not null))
            other.SetValue(copy, other.GetValue(instance));
        property.SetValue(copy, value);
        return copy;
    }
}
