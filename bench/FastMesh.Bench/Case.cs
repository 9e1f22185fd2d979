using System.Globalization;
using System.Reflection;
using BenchmarkDotNet.Attributes;

namespace FastMesh.Bench;

/// <summary>One benchmark with one combination of its parameters, run without BenchmarkDotNet: by the tests, and by the short run.</summary>
public sealed class Case : IDisposable
{
    private Action? _call;

    private Case(MethodInfo method, object instance, string parameters) => (Method, Instance, Parameters) = (method, instance, parameters);

    /// <summary>The benchmark.</summary>
    public MethodInfo Method { get; }

    /// <summary>The object whose method it is.</summary>
    public object Instance { get; }

    /// <summary>Class and method.</summary>
    public string Name => $"{Method.DeclaringType!.Name}.{Method.Name}";

    /// <summary>The parameters in the order of their declaration, <c>A=1 B=2</c>.</summary>
    public string Parameters { get; }

    /// <summary>How many operations one call does.</summary>
    public int Operations => Method.GetCustomAttribute<BenchmarkAttribute>()!.OperationsPerInvoke;

    /// <summary>All of them; not set up yet.</summary>
    public static IEnumerable<Case> All() =>
        from type in typeof(Case).Assembly.GetTypes()
        from method in type.GetMethods()
        where method.GetCustomAttribute<BenchmarkAttribute>() is not null
        from values in Combinations([.. type.GetProperties().Where(IsParameter)])
        select Make(method, values);

    /// <summary>Prepares the benchmark, the first time, and returns one call of it.</summary>
    public Action Call()
    {
        if (_call is not null)
            return _call;
        InvokeAll<GlobalSetupAttribute>();
        return _call = Delegate();
    }

    /// <inheritdoc/>
    public override string ToString() => Parameters.Length == 0 ? Name : $"{Name} {Parameters}";

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_call is not null)
            InvokeAll<GlobalCleanupAttribute>();
        _call = null;
    }

    private static bool IsParameter(PropertyInfo property) => property.GetCustomAttribute<ParamsAttribute>() is not null;

    private static Case Make(MethodInfo method, (PropertyInfo Property, object? Value)[] values)
    {
        object instance = Activator.CreateInstance(method.DeclaringType!)!;
        foreach ((PropertyInfo property, object? value) in values)
            property.SetValue(instance, value);
        return new(method, instance, string.Join(' ', values.Select(pair => string.Create(CultureInfo.InvariantCulture, $"{pair.Property.Name}={pair.Value}"))));
    }

    private static IEnumerable<(PropertyInfo Property, object? Value)[]> Combinations(PropertyInfo[] parameters)
    {
        IEnumerable<(PropertyInfo, object?)[]> combinations = [[]];
        foreach (PropertyInfo parameter in parameters)
        {
            object?[] values = parameter.GetCustomAttribute<ParamsAttribute>()!.Values;
            combinations = [.. combinations.SelectMany(former => values.Select(value => ((PropertyInfo, object?)[])[.. former, (parameter, value)]))];
        }

        return combinations;
    }

    private void InvokeAll<T>()
        where T : Attribute
    {
        foreach (MethodInfo method in Method.DeclaringType!.GetMethods().Where(method => method.GetCustomAttribute<T>() is not null))
            method.Invoke(Instance, null);
    }

    /// <summary>A delegate of the method's own type, so that the call itself boxes no result.</summary>
    private Action Delegate()
    {
        if (Method.ReturnType == typeof(void))
            return Method.CreateDelegate<Action>(Instance);
        MethodInfo discard = typeof(Case).GetMethod(nameof(Discard), BindingFlags.NonPublic | BindingFlags.Static)!;
        return (Action)discard.MakeGenericMethod(Method.ReturnType).Invoke(null, [Method, Instance])!;
    }

    private static Action Discard<T>(MethodInfo benchmark, object instance)
    {
        Func<T> call = benchmark.CreateDelegate<Func<T>>(instance);
        return () => _ = call();
    }
}
