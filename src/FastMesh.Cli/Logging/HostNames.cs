using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.Wire;

namespace FastMesh.Cli.Logging;

/// <summary>
/// Hostnames = yes: host names in place of addresses in the text of log lines. A thread of its own looks them up, so that nobody ever waits: until the
/// answer has come, and if there is none, lines have the numbers. Any thread may ask.
/// </summary>
internal sealed class HostNames : IDisposable
{
    private const int MaxKnown = 4096, MaxWaiting = 64;

    /// <summary>After this, a name is looked up again. An address without one is asked for as seldom.</summary>
    private const long Lifetime = 3_600_000; // milliseconds

    private readonly ConcurrentDictionary<string, Known> _known = new();
    private readonly Channel<string> _questions = Channel.CreateBounded<string>(MaxWaiting);
    private readonly Func<string, string?> _lookUp;

    /// <summary>Starts the thread.</summary>
    /// <param name="lookUp">Gives the name of a numeric address, or null; may take its time. Not given: the system's resolver.</param>
    public HostNames(Func<string, string?>? lookUp = null)
    {
        _lookUp = lookUp ?? AskSystem;
        new Thread(Work) { IsBackground = true, Name = "host names" }.Start();
    }

    private readonly record struct Known(string? Name, long Asked);

    /// <summary>A message with the names of its addresses, as far as they are known.</summary>
    /// <param name="message">The text.</param>
    /// <param name="state">What the logger got, with the addresses.</param>
    public string Insert(string message, object? state)
    {
        foreach (Endpoint address in LogEvent.AddressesOf(state))
        {
            string number = address.AddressText;
            if (Find(number) is { } name)
                message = message.Replace($"{number} port ", $"{name} port ", StringComparison.Ordinal);
        }

        return message;
    }

    /// <summary>Ends the thread as soon as it is done with what it does.</summary>
    public void Dispose() => _questions.Writer.TryComplete();

    /// <summary>The name, if it is known; else it will be looked up. What does not fit into the queue is asked for by a later line.</summary>
    private string? Find(string address)
    {
        bool isKnown = _known.TryGetValue(address, out Known known);
        long now = Environment.TickCount64;
        if (isKnown && now - known.Asked < Lifetime)
            return known.Name;
        if (_known.Count >= MaxKnown)
            _known.Clear();
        _known[address] = known with { Asked = now }; // before the question, since the answer may be quick
        if (!_questions.Writer.TryWrite(address))
            _known.TryRemove(address, out _);
        return known.Name;
    }

    private void Work()
    {
        foreach (string address in _questions.Reader.ReadAllAsync().ToBlockingEnumerable())
        {
            string? name = _lookUp(address);
            _known[address] = new(name is not null && IsHostName(name) ? name : null, Environment.TickCount64);
        }
    }

    /// <summary>Whoever owns the address chooses the name: nothing in it may look like another part of the line.</summary>
    private static bool IsHostName(string name) =>
        name.Length is > 0 and <= 253 && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_') && !IPAddress.TryParse(name, out _);

    private static string? AskSystem(string address)
    {
        try
        {
            return Dns.GetHostEntry(IPAddress.Parse(address)).HostName;
        }
        catch (SocketException)
        {
            return null;
        }
    }
}
