using System.Collections.Concurrent;
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

    /// <summary>Ends the threads as soon as they are done with what they do; answers are lost.</summary>
    public void Dispose() => _questions.CompleteAdding();

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
            return NameLookup.LookUp(question.Target, question.Family);
        }
        catch (SocketException failure)
        {
            _log.Always.NameLookupFailed(question.Target.Host, question.Target.Port, NameLookup.Describe(failure));
            return [];
        }
    }
}
