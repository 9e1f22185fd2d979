namespace FastMesh.Interop.Tests.Support;

/// <summary>Echo requests between several pairs of hosts, fifty a second each, for as long as something else takes.</summary>
public sealed class PingLoad : IDisposable
{
    private const int Series = 25;
    private readonly Task<PingResult>[] _pairs;
    private volatile bool _stopping;

    public PingLoad(params (NetworkHost From, string To)[] pairs) =>
        _pairs = [.. pairs.Select(pair => Task.Factory.StartNew(() => Run(pair.From, pair.To), TaskCreationOptions.LongRunning))];

    /// <summary>Ends the series that are under way, waits for their last answers and adds everything up.</summary>
    public PingResult Stop()
    {
        _stopping = true;
        return Task.WhenAll(_pairs).GetAwaiter().GetResult().Aggregate((sum, result) => sum + result);
    }

    public void Dispose() => Stop();

    private PingResult Run(NetworkHost from, string to)
    {
        PingResult sum = default;
        while (!_stopping) sum += from.Ping(to, Series, interval: 0.02);
        return sum;
    }
}
