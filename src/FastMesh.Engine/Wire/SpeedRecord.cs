using System.Buffers.Binary;

namespace FastMesh.Engine.Wire;

/// <summary>Kinds of records of a speed test. The numbers are sent.</summary>
public enum SpeedKind : byte
{
    /// <summary>Load. Fields: number, from 0; time stamp of the sender, nanoseconds on its own clock.</summary>
    Data = 0,

    /// <summary>The same, to be acknowledged at once.</summary>
    AskingData = 1,

    /// <summary>Fields: the highest number received; the time stamp of what is acknowledged; records received so far.</summary>
    Ack = 2,

    /// <summary>May I test? Field: milliseconds per direction wanted.</summary>
    Request = 3,

    /// <summary>Fields: a <see cref="SpeedVerdict"/>; milliseconds per direction granted, or to wait; bytes per direction granted.</summary>
    Answer = 4,

    /// <summary>Send load now.</summary>
    Go = 5,

    /// <summary>How far are you?</summary>
    Ask = 6,

    /// <summary>Fields: those of <see cref="SpeedCounts"/>.</summary>
    Report = 7,

    /// <summary>The test is over.</summary>
    Done = 8,
}

/// <summary>Whether a node lets another one test. The numbers are sent.</summary>
public enum SpeedVerdict
{
    /// <summary>It may.</summary>
    Granted = 0,

    /// <summary>The configuration says no.</summary>
    Refused = 1,

    /// <summary>Another test runs.</summary>
    Busy = 2,

    /// <summary>The node that asks has had its test a moment ago.</summary>
    TooSoon = 3,

    /// <summary>The traffic that tests may cause is used up.</summary>
    OverBudget = 4,
}

/// <summary>
/// Read-only view of one record of a speed test between FastMesh nodes. It travels in a session as a path probe does, whole and with ethertype 0, and by
/// whatever way packets take. Owns nothing.
/// </summary>
public readonly ref struct SpeedRecord
{
    //   0  mark         1   tells it from a probe (0) and its replies (1, 2)
    //   1  kind         1
    //   2  zero        12   the last two are the ethertype
    //  14  test         4   big endian; chosen by the node that wants the test
    //  18  fields     8 n   big endian
    //      padding          up to the length that is tested

    /// <summary>The first byte.</summary>
    public const byte Mark = 0x10;

    private const int KindAt = 1, TestAt = EthernetFrame.HeaderLength, FieldsAt = TestAt + sizeof(uint);

    private readonly ReadOnlySpan<byte> _bytes;

    private SpeedRecord(ReadOnlySpan<byte> bytes) => _bytes = bytes;

    /// <summary>What it is.</summary>
    public SpeedKind Kind => (SpeedKind)_bytes[KindAt];

    /// <summary>Which test it belongs to.</summary>
    public uint Test => BinaryPrimitives.ReadUInt32BigEndian(_bytes[TestAt..]);

    /// <summary>A field, counted from 0.</summary>
    public long this[int field] => BinaryPrimitives.ReadInt64BigEndian(_bytes[(FieldsAt + (field * sizeof(long)))..]);

    /// <summary>Bytes of a record with that many fields.</summary>
    public static int LengthOf(int fields) => FieldsAt + (fields * sizeof(long));

    /// <summary>Whether a frame with ethertype 0 is such a record, well formed or not, rather than a path probe.</summary>
    public static bool IsOne(ReadOnlySpan<byte> frame) =>
        frame.Length >= EthernetFrame.HeaderLength && frame[0] == Mark && frame[EthernetFrame.HeaderLength - 2] == 0 && frame[EthernetFrame.HeaderLength - 1] == 0;

    /// <summary>Reads a record; false if it is none, of an unknown kind, or too short for its fields.</summary>
    public static bool TryRead(ReadOnlySpan<byte> frame, out SpeedRecord record)
    {
        bool ok = IsOne(frame) && frame[KindAt] <= (byte)SpeedKind.Done && frame.Length >= LengthOf(FieldsOf((SpeedKind)frame[KindAt]));
        record = ok ? new(frame) : default;
        return ok;
    }

    /// <summary>Writes the fixed part; the rest of the frame stays what it is.</summary>
    public static void Write(Span<byte> frame, SpeedKind kind, uint test, params ReadOnlySpan<long> fields)
    {
        frame[..TestAt].Clear();
        (frame[0], frame[KindAt]) = (Mark, (byte)kind);
        BinaryPrimitives.WriteUInt32BigEndian(frame[TestAt..], test);
        for (int i = 0; i < fields.Length; i++)
            BinaryPrimitives.WriteInt64BigEndian(frame[(FieldsAt + (i * sizeof(long)))..], fields[i]);
    }

    /// <summary>A record that is no load.</summary>
    public static byte[] Compose(SpeedKind kind, uint test, params ReadOnlySpan<long> fields)
    {
        byte[] frame = new byte[LengthOf(fields.Length)];
        Write(frame, kind, test, fields);
        return frame;
    }

    private static int FieldsOf(SpeedKind kind) => kind switch
    {
        SpeedKind.Data or SpeedKind.AskingData => 2,
        SpeedKind.Ack or SpeedKind.Answer => 3,
        SpeedKind.Request => 1,
        SpeedKind.Report => SpeedCounts.Fields,
        _ => 0,
    };
}
