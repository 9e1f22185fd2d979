using FastMesh.Engine.Protocol;
using FsCheck;
using FsCheck.Fluent;

namespace FastMesh.Engine.Tests.Protocol;

/// <summary>The record layer of a stream (tinc 1.1 reference, 3.1, 3.2): the published stream, framing, and what ends it.</summary>
public sealed class SptpsRecordsTests
{
    [Fact]
    public void The_stream_of_the_reference_is_reproduced()
    {
        (SptpsRecords a, SptpsRecords b) = Begun();
        Assert.Equal(SptpsRead.Handshake, Read(a, SptpsVectors.Record(128, Convert.ToHexString(SptpsVectors.KexB))));
        Assert.Equal(SptpsVectors.Record(128, SptpsVectors.StreamSigA), a.Reply.ToArray());
        Assert.Equal(SptpsRead.Handshake, Read(b, SptpsVectors.Record(128, Convert.ToHexString(SptpsVectors.KexA))));
        Assert.Empty(b.Reply.ToArray());
        Assert.Equal(SptpsRead.Ready, Read(b, SptpsVectors.Record(128, SptpsVectors.StreamSigA)));
        Assert.Equal(SptpsVectors.Record(128, SptpsVectors.StreamSigB), b.Reply.ToArray()); // in plaintext still
        Assert.Equal(SptpsRead.Ready, Read(a, SptpsVectors.Record(128, SptpsVectors.StreamSigB)));
        Assert.Empty(a.Reply.ToArray());

        const string AckA = "0011cc7789ead17a0ff068cbba0d2ad38b0f16e8ea58ae67c18ae340019e1f3ff7c61c87";
        const string AckB = "0011bc6269cb1e8601a2bead0a59e19a27a359c13a8ee586f6d89a19184b2344c3a6543a";
        Assert.Equal(AckA, Convert.ToHexStringLower(Seal(a, 0, "4 655 10 700000c\n"u8)));
        Assert.Equal(AckB, Convert.ToHexStringLower(Seal(b, 0, "4 655 12 700000c\n"u8)));
        Assert.Equal(SptpsRead.Application, a.Read(Convert.FromHexString(AckB), 100, out int length, out byte type, out ReadOnlySpan<byte> data));
        Assert.Equal((36, 0, "4 655 12 700000c\n"), (length, type, System.Text.Encoding.ASCII.GetString(data)));
    }

    [Fact]
    public void Records_come_out_as_they_went_in_however_the_stream_is_cut()
    {
        Gen<(byte[] Data, int Type)> record = from size in Gen.Choose(0, 3000)
                                              from type in Gen.Choose(0, 127)
                                              select (SptpsVectors.Run((byte)size, size), type);
        Property property = Prop.ForAll(record.ListOf().ToArbitrary(), Gen.Choose(1, 4000).ListOf(20).ToArbitrary(), (records, cuts) =>
        {
            (SptpsRecords a, SptpsRecords b) = Ready();
            byte[] stream = [.. records.SelectMany(entry => Seal(a, (byte)entry.Type, entry.Data))];
            List<(byte[] Data, int Type)> taken = [];
            List<byte> waiting = [];
            int at = 0;
            for (int i = 0; at < stream.Length; i++)
            {
                int count = Math.Min(cuts[i % cuts.Count], stream.Length - at);
                waiting.AddRange(stream.AsSpan(at, count));
                at += count;
                while (b.Read(waiting.ToArray(), 3000, out int length, out byte type, out ReadOnlySpan<byte> data) == SptpsRead.Application)
                {
                    taken.Add((data.ToArray(), type));
                    waiting.RemoveRange(0, length);
                }
            }

            return waiting.Count == 0 && taken.Count == records.Count
                && taken.Zip(records).All(pair => pair.First.Type == pair.Second.Type && pair.First.Data.AsSpan().SequenceEqual(pair.Second.Data));
        });
        property.Check(Config.QuickThrowOnFailure.WithMaxTest(200));
    }

    [Fact]
    public void Whatever_is_done_to_the_stream_only_a_prefix_of_what_was_sent_comes_out()
    {
        Gen<(int Kind, int At)> alteration = from kind in Gen.Choose(0, 4) from at in Gen.Choose(0, 200) select (kind, at);
        Property property = Prop.ForAll(alteration.ToArbitrary(), change =>
        {
            (SptpsRecords a, SptpsRecords b) = Ready();
            byte[][] sent = [.. Enumerable.Range(0, 4).Select(i => Seal(a, (byte)i, SptpsVectors.Run((byte)i, 30 + i)))];
            byte[] original = [.. sent.SelectMany(bytes => bytes)], stream = change.Kind switch
            {
                0 => Flip(original, change.At % original.Length),
                1 => [.. sent[0], .. sent[2], .. sent[1], .. sent[3]],
                2 => [.. sent[0], .. sent[0], .. sent[1]],
                3 => [.. sent[1], .. sent[2]],
                _ => [.. original.AsSpan(0, change.At % original.Length), .. original.AsSpan((change.At % original.Length) + 1)],
            };
            int taken = 0, at = 0;
            while (b.Read(stream.AsSpan(at), 100, out int length, out byte type, out ReadOnlySpan<byte> data) == SptpsRead.Application)
            {
                if (type != taken || !data.SequenceEqual(SptpsVectors.Run((byte)taken, 30 + taken)))
                    return false;
                (taken, at) = (taken + 1, at + length);
            }

            return taken < 4;
        });
        property.Check(Config.QuickThrowOnFailure.WithMaxTest(300));

        static byte[] Flip(byte[] bytes, int at)
        {
            byte[] copy = [.. bytes];
            copy[at] ^= 0x10;
            return copy;
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(127)]
    [InlineData(129)]
    [InlineData(130)]
    [InlineData(255)]
    public void Before_the_handshake_is_complete_there_are_only_handshake_records(byte type)
    {
        (SptpsRecords a, _) = Begun();
        Assert.Equal(SptpsRead.Broken, Read(a, SptpsVectors.Record(type, Convert.ToHexString(SptpsVectors.KexB))));
    }

    [Theory]
    [InlineData(0, SptpsRead.Application)]
    [InlineData(127, SptpsRead.Application)]
    [InlineData(128, SptpsRead.Broken)] // no message of the handshake has one byte
    [InlineData(129, SptpsRead.Broken)]
    [InlineData(130, SptpsRead.Broken)]
    [InlineData(255, SptpsRead.Broken)]
    public void Afterwards_types_above_127_are_errors(byte type, object expected)
    {
        (SptpsRecords a, SptpsRecords b) = Ready();
        Assert.Equal(expected, Read(b, Seal(a, type, [1])));
    }

    [Fact]
    public void A_length_beyond_the_limit_is_refused_before_anything_is_waited_for()
    {
        (SptpsRecords a, SptpsRecords b) = Begun();
        Assert.Equal(SptpsRead.Broken, Read(a, [0, 66]));
        Assert.Equal(SptpsRead.More, Read(b, [0, 65]));
        (a, b) = Ready();
        Assert.Equal(SptpsRead.Broken, b.Read([4, 1], 1024, out _, out _, out _));
        Assert.Equal(SptpsRead.More, a.Read([4, 0], 1024, out int length, out _, out _));
        Assert.Equal(3 + 1024 + 16, length);
    }

    [Fact]
    public void A_renewal_on_the_stream_keeps_the_record_numbers_and_changes_the_keys()
    {
        SptpsHandshake starter = SptpsVectors.Handshake(initiator: true, "TCP");
        SptpsRecords a = new(starter), b = new(SptpsVectors.Handshake(initiator: false, "TCP"));
        Complete(a, b);
        byte[] before = Seal(a, 0, "8\n"u8);
        Assert.Equal(SptpsRead.Application, Read(b, before));

        byte[] kex = a.Start().ToArray(); // stock never does this on a meta connection but goes along with it (3.7)
        Assert.Equal(3 + 65 + 16, kex.Length);
        Queue<byte[]> toA = [], toB = new([kex]);
        while (toA.Count + toB.Count > 0)
        {
            if (toB.TryDequeue(out byte[]? message))
                Answer(b, message, toA);
            if (toA.TryDequeue(out message))
                Answer(a, message, toB);
        }

        byte[] after = Seal(a, 0, "8\n"u8);
        Assert.NotEqual(before, after);
        Assert.Equal(SptpsRead.Application, Read(b, after));
        Assert.Equal(SptpsRead.Application, Read(a, Seal(b, 0, "9\n"u8)));
    }

    private static void Answer(SptpsRecords side, byte[] stream, Queue<byte[]> replies)
    {
        for (int at = 0; at < stream.Length;)
        {
            Assert.Equal(SptpsRead.Handshake, side.Read(stream.AsSpan(at), 100, out int length, out _, out _));
            if (!side.Reply.IsEmpty)
                replies.Enqueue(side.Reply.ToArray());
            at += length;
        }
    }

    private static (SptpsRecords A, SptpsRecords B) Begun()
    {
        SptpsRecords a = new(SptpsVectors.Handshake(initiator: true, "TCP")), b = new(SptpsVectors.Handshake(initiator: false, "TCP"));
        Assert.Equal(SptpsVectors.Record(128, Convert.ToHexString(SptpsVectors.KexA)), a.Start().ToArray());
        Assert.Equal(SptpsVectors.Record(128, Convert.ToHexString(SptpsVectors.KexB)), b.Start().ToArray());
        return (a, b);
    }

    private static (SptpsRecords A, SptpsRecords B) Ready()
    {
        SptpsRecords a = new(SptpsVectors.Handshake(initiator: true, "TCP")), b = new(SptpsVectors.Handshake(initiator: false, "TCP"));
        Complete(a, b);
        return (a, b);
    }

    private static void Complete(SptpsRecords a, SptpsRecords b)
    {
        byte[] kexA = a.Start().ToArray(), kexB = b.Start().ToArray();
        Read(a, kexB);
        Read(b, kexA);
        Assert.Equal(SptpsRead.Ready, Read(b, a.Reply.ToArray()));
        Assert.Equal(SptpsRead.Ready, Read(a, b.Reply.ToArray()));
    }

    private static SptpsRead Read(SptpsRecords side, byte[] stream) => side.Read(stream, 100, out _, out _, out _);

    private static byte[] Seal(SptpsRecords side, byte type, ReadOnlySpan<byte> data)
    {
        byte[] record = new byte[side.RecordLength(data.Length)];
        data.CopyTo(record.AsSpan(SptpsRecords.HeaderLength));
        side.Seal(type, record);
        return record;
    }
}
