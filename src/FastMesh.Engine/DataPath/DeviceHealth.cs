using FastMesh.Engine.Wire;

namespace FastMesh.Engine.DataPath;

/// <summary>
/// When to read the device again after a failure: 50 ms times the number of failures in a row later; after more than ten never
/// (tinc 1.0 reference, chapter 8).
/// </summary>
internal sealed class DeviceHealth
{
    private const int MaxFailures = 10, DelayMilliseconds = 50;
    private int _failures;
    private Instant _retry = Instant.Never;

    /// <summary>A read worked.</summary>
    public void Succeeded() => _failures = 0;

    /// <summary>A read failed; true if it was one too many.</summary>
    public bool Failed(Instant now)
    {
        _failures++;
        _retry = _failures > MaxFailures ? Instant.Never : now + TimeSpan.FromMilliseconds(DelayMilliseconds * _failures);
        return _failures > MaxFailures;
    }

    /// <summary>Whether a read is due after a failure; says so once.</summary>
    public bool IsRetryDue(Instant now)
    {
        if (now < _retry)
            return false;
        _retry = Instant.Never;
        return true;
    }

    /// <summary>Whether reading is put off after a failure.</summary>
    public bool IsWaiting => _failures > 0;

    /// <summary>How long the shard may wait, milliseconds; -1 for ever.</summary>
    public int WaitLimit(Instant now) =>
        _retry == Instant.Never ? -1 : (int)Math.Clamp(_retry.Milliseconds - now.Milliseconds, 0, DelayMilliseconds * MaxFailures);
}
