using FastMesh.Engine.Wire;

namespace FastMesh.Fuzz.Targets;

/// <summary>Records of speed tests, which an authenticated peer may fill with anything: what is read is the same when it is written again.</summary>
internal sealed class SpeedTestRecord : FuzzTarget
{
    public override IEnumerable<byte[]> Seeds =>
    [
        .. Enum.GetValues<SpeedKind>().Select(kind => SpeedRecord.Compose(kind, 0x01020304, new long[SpeedCounts.Fields])),
        [SpeedRecord.Mark, .. new byte[13]],
    ];

    public override void Run(Span<byte> input)
    {
        if (!SpeedRecord.TryRead(input, out SpeedRecord record))
            return;
        long[] fields = new long[(input.Length - SpeedRecord.LengthOf(0)) / sizeof(long)];
        for (int i = 0; i < fields.Length; i++)
            fields[i] = record[i];
        byte[] again = SpeedRecord.Compose(record.Kind, record.Test, fields);
        if (!SpeedRecord.TryRead(again, out SpeedRecord copy) || copy.Kind != record.Kind || copy.Test != record.Test
            || !again.AsSpan(SpeedRecord.LengthOf(0)).SequenceEqual(input[SpeedRecord.LengthOf(0)..again.Length]))
            throw new InvalidOperationException($"a record of kind {record.Kind} is read back as one of {copy.Kind}");
        if (record.Kind == SpeedKind.Report && SpeedCounts.Read(record).ToFields().Any(field => field < 0))
            throw new InvalidOperationException("a report counts less than nothing");
    }
}
