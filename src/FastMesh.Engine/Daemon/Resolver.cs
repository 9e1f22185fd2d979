using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Daemon;

/// <summary>
/// Looks host names up on threads of its own, so that a name server that does not answer holds up nobody. Started on demand; a
/// few run at once, so that one dead domain does not hold up the others either.
/// </summary>
internal sealed class Resolver : IDisposable
{
    private const int MaxThreads = 4;

    private readonly BlockingCollection<MeshAction.Resolve> _questions = [];
    private readonly ConcurrentQueue<Answer> _answers = new();
    private readonly EventFd _wake;
    private readonly EngineLog _log;
    private int _threads;
    private int _idle;

    /// <summary>Prepares.</summary>
    /// <param name="wake">Signalled whenever <see cref="TryTake"/> has something.</param>
    /// <param name="log">Where failures are reported.</param>
    public Resolver(EventFd wake, EngineLog log) => (_wake, _log) = (wake, log);

    /// <summary>The addresses found for a question, in the resolver's order; none if it failed.</summary>
    internal readonly record struct Answer(int Ticket, IReadOnlyList<Endpoint> Addresses);

    /// <summary>Asks; the answer comes by <see cref="TryTake"/>. Never waits. Control thread only.</summary>
    public void Ask(MeshAction.Resolve question)
    {
        if (Interlocked.Decrement(ref _idle) < 0)
        {
            Interlocked.Increment(ref _idle);
            if (_threads < MaxThreads)
            {
                _threads++;
                new Thread(Work) { IsBackground = true, Name = $"resolver {_threads}" }.Start();
            }
        }

        _questions.Add(question);
    }

    /// <summary>Takes the next answer.</summary>
    public bool TryTake(out Answer answer) => _answers.TryDequeue(out answer);

    /// <summary>Looks one name up, waiting for the answer.</summary>
    /// <exception cref="SocketException">There is no such name or service, or no address of that family; the message says which.</exception>
    public static List<Endpoint> LookUp(HostPort target, AddressFamilyChoice family)
    {
        if (!ServiceNames.TryGetPort(target.Port, out ushort port))
            throw new SocketException((int)SocketError.TypeNotFound, "Servname not supported for ai_socktype");

        List<Endpoint> found = [];
        foreach (IPAddress address in Addresses(target.Host))
        {
            if (Matches(address.AddressFamily, family))
                found.Add(Endpoint.From(address, port));
        }

        return found.Count > 0
            ? found
            : throw new SocketException((int)SocketError.NoData, "Address family for hostname not supported");
    }

    /// <summary>The C library's words for a failed lookup.</summary>
    public static string Describe(SocketException failure) => failure.SocketErrorCode switch
    {
        SocketError.HostNotFound => "Name or service not known",
        SocketError.TryAgain => "Temporary failure in name resolution",
        _ => failure.Message,
    };

    /// <summary>Ends the threads as soon as they are done with what they do; answers are lost.</summary>
    public void Dispose() => _questions.CompleteAdding();

    /// <summary>The resolver itself refuses "any" addresses and over-long names in ways of its own.</summary>
    private static IPAddress[] Addresses(string host)
    {
        if (IPAddress.TryParse(host, out IPAddress? numeric))
            return [numeric];
        const int MaxName = 255;
        return host.Length is > 0 and <= MaxName ? Dns.GetHostAddresses(host) : throw new SocketException((int)SocketError.HostNotFound);
    }

    private static bool Matches(AddressFamily family, AddressFamilyChoice wanted) => wanted switch
    {
        AddressFamilyChoice.IPv4 => family == AddressFamily.InterNetwork,
        AddressFamilyChoice.IPv6 => family == AddressFamily.InterNetworkV6,
        _ => family is AddressFamily.InterNetwork or AddressFamily.InterNetworkV6,
    };

    private void Work()
    {
        foreach (MeshAction.Resolve question in _questions.GetConsumingEnumerable())
        {
            _answers.Enqueue(new(question.Ticket, LookUpOrLog(question)));
            _wake.Signal();
            Interlocked.Increment(ref _idle);
        }
    }

    private List<Endpoint> LookUpOrLog(MeshAction.Resolve question)
    {
        try
        {
            return LookUp(question.Target, question.Family);
        }
        catch (SocketException failure)
        {
            _log.Always.NameLookupFailed(question.Target.Host, question.Target.Port, Describe(failure));
            return [];
        }
    }
}
