using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Wire;

public sealed class SpeedRecordTests
{
    [Fact]
    public void A_record_lies_in_a_frame_with_ethertype_zero_and_carries_its_fields()
    {
        byte[] frame = SpeedRecord.Compose(SpeedKind.Answer, 0x01020304, 2, 5000, -1);
        Assert.Equal("10040000000000000000000000000102030400000000000000020000000000001388FFFFFFFFFFFFFFFF", Convert.ToHexString(frame));
        Assert.True(SpeedRecord.TryRead(frame, out SpeedRecord record));
        Assert.Equal((SpeedKind.Answer, 0x01020304u, 2L, 5000L, -1L), (record.Kind, record.Test, record[0], record[1], record[2]));
    }

    [Theory]
    [InlineData(SpeedKind.Data, 2)]
    [InlineData(SpeedKind.AskingData, 2)]
    [InlineData(SpeedKind.Ack, 3)]
    [InlineData(SpeedKind.Request, 1)]
    [InlineData(SpeedKind.Answer, 3)]
    [InlineData(SpeedKind.Go, 0)]
    [InlineData(SpeedKind.Ask, 0)]
    [InlineData(SpeedKind.Report, 12)]
    [InlineData(SpeedKind.Done, 0)]
    public void A_record_too_short_for_its_fields_is_none_but_is_no_probe_either(SpeedKind kind, int fields)
    {
        byte[] frame = SpeedRecord.Compose(kind, 7, new long[fields]);
        Assert.True(SpeedRecord.TryRead(frame, out _));
        Assert.False(SpeedRecord.TryRead(frame.AsSpan(0, frame.Length - 1), out _));
        Assert.True(SpeedRecord.IsOne(frame.AsSpan(0, 14)));
    }

    [Fact]
    public void Unknown_kinds_and_path_probes_are_no_records()
    {
        byte[] frame = SpeedRecord.Compose(SpeedKind.Done, 7);
        frame[1] = 9;
        Assert.True(SpeedRecord.IsOne(frame));
        Assert.False(SpeedRecord.TryRead(frame, out _));
        foreach (byte probe in (byte[])[0, 1, 2])
        {
            frame[0] = probe; // request and replies of tinc 1.0 and 1.1
            Assert.False(SpeedRecord.IsOne(frame));
        }

        Assert.False(SpeedRecord.IsOne([0x10, .. new byte[11], 8, 0]));
        Assert.False(SpeedRecord.IsOne(new byte[13]));
    }

    [Fact]
    public void Counts_survive_a_report_and_a_peer_cannot_report_negative_ones()
    {
        SpeedCounts counts = new(2, true, 3, 4, 5, 6, 7, 8, new SpeedRoundTrips(1, 9, 10, 11));
        Assert.True(SpeedRecord.TryRead(SpeedRecord.Compose(SpeedKind.Report, 1, counts.ToFields()), out SpeedRecord report));
        Assert.Equal(counts, SpeedCounts.Read(report));
        long[] negative = [.. Enumerable.Repeat(-5L, SpeedCounts.Fields)];
        Assert.True(SpeedRecord.TryRead(SpeedRecord.Compose(SpeedKind.Report, 1, negative), out report));
        Assert.Equal(default(SpeedCounts) with { IsSending = false }, SpeedCounts.Read(report));
    }
}
