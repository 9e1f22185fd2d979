using System.Buffers.Binary;
using System.Globalization;
using FastMesh.Engine.Daemon;

namespace FastMesh.Cli.Commands;

/// <summary>The commands that hand one request to the running daemon, as the program <c>tinc</c> has them (tinc 1.1 reference, 10.3).</summary>
internal static class ControlCommands
{
    private const int DefaultSnapLength = 9018;

    /// <summary><c>pid</c></summary>
    public static int Pid(CommandContext context) => context.WithDaemon(daemon =>
    {
        context.Print(daemon.Process.ToString(CultureInfo.InvariantCulture));
        return 0;
    });

    /// <summary><c>stop</c>: returns when the daemon has ended.</summary>
    public static int Stop(CommandContext context) => context.WithDaemon(daemon =>
    {
        int result = daemon.Perform(ControlRequest.Stop);
        if (result != 0)
            return context.Fail($"The daemon refuses to stop ({result}).");
        daemon.AwaitEnd();
        return 0;
    });

    /// <summary><c>retry</c></summary>
    public static int Retry(CommandContext context) => Perform(context, ControlRequest.Retry, "", "Could not retry outgoing connections.");

    /// <summary><c>purge</c></summary>
    public static int Purge(CommandContext context) => Perform(context, ControlRequest.Purge, "", "Could not purge old information.");

    /// <summary><c>disconnect NODE</c></summary>
    public static int Disconnect(CommandContext context)
    {
        string node = context.Arguments[0];
        return !Engine.Wire.NodeName.IsValid(node) ? context.Misuse($"Invalid name for node: {node}")
            : Perform(context, ControlRequest.Disconnect, node, $"Could not disconnect {node}.");
    }

    /// <summary><c>debug LEVEL</c></summary>
    public static int Debug(CommandContext context)
    {
        string text = context.Arguments[0];
        if (!int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int level))
            return context.Misuse($"Invalid debug level `{text}': it is a number from 0 to 5.");
        return context.WithDaemon(daemon =>
        {
            int before = daemon.Perform(ControlRequest.SetDebug, text);
            context.Note(string.Create(CultureInfo.InvariantCulture, $"Old level {before}, new level {level}."));
            return 0;
        });
    }

    /// <summary><c>log [LEVEL]</c>: what the daemon logs from now on, until it or we are ended.</summary>
    public static int Log(CommandContext context)
    {
        string level = context.Arguments.ElementAtOrDefault(0) ?? "-1";
        if (!int.TryParse(level, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out _))
            return context.Misuse($"Invalid debug level `{level}': it is a number from 0 to 5.");
        return Watch(context, ControlRequest.Log, level, (text, output) =>
        {
            output.Write(text);
            output.WriteByte((byte)'\n');
        });
    }

    /// <summary><c>pcap [SNAPLEN]</c>: the packets that the daemon routes from now on, as a pcap file on standard output.</summary>
    public static int Pcap(CommandContext context)
    {
        string given = context.Arguments.ElementAtOrDefault(0) ?? "";
        if (!uint.TryParse(given.Length == 0 ? "0" : given, NumberStyles.None, CultureInfo.InvariantCulture, out uint snapLength))
            return context.Misuse($"Invalid length `{given}': it is a number of bytes.");
        bool isFirst = true;
        return Watch(context, ControlRequest.Capture, given, (packet, output) =>
        {
            if (isFirst)
                WriteHeader(output, snapLength == 0 ? DefaultSnapLength : snapLength);
            isFirst = false;
            if (packet.Length > 0)
                WritePacket(output, packet);
        });
    }

    private static int Perform(CommandContext context, ControlRequest type, string argument, string problem) => context.WithDaemon(daemon =>
        daemon.Perform(type, argument) == 0 ? 0 : context.Fail(problem));

    /// <summary>Gives each item to a function, and before the first one nothing, once the daemon has been asked.</summary>
    private static int Watch(CommandContext context, ControlRequest type, string argument, Action<byte[], Stream> write) => context.WithDaemon(daemon =>
    {
        using Stream output = Console.OpenStandardOutput();
        daemon.Send(string.Create(CultureInfo.InvariantCulture, $"18 {(int)type} {argument}").TrimEnd());
        if (type == ControlRequest.Capture)
            write([], output);
        try
        {
            while (daemon.Watch(type) is { } item)
            {
                write(item, output);
                output.Flush();
            }
        }
        catch (IOException)
        {
            // Whoever read the output has enough.
        }

        return 0;
    });

    /// <summary>The file header of pcap 2.4, link type Ethernet, in the byte order of the machine.</summary>
    private static void WriteHeader(Stream output, uint snapLength)
    {
        Span<byte> header = stackalloc byte[24];
        BinaryPrimitives.WriteUInt32LittleEndian(header, 0xa1b2c3d4);
        BinaryPrimitives.WriteUInt16LittleEndian(header[4..], 2);
        BinaryPrimitives.WriteUInt16LittleEndian(header[6..], 4);
        header[8..16].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(header[16..], snapLength);
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], 1);
        output.Write(header);
        output.Flush();
    }

    /// <summary>What was cut off is not counted: the daemon does not say how long the packet was; so tinc does it too.</summary>
    private static void WritePacket(Stream output, byte[] packet)
    {
        Span<byte> header = stackalloc byte[16];
        TimeSpan time = DateTime.UtcNow - DateTime.UnixEpoch;
        BinaryPrimitives.WriteUInt32LittleEndian(header, (uint)time.TotalSeconds);
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], (uint)(time.Ticks % TimeSpan.TicksPerSecond / TimeSpan.TicksPerMicrosecond));
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], (uint)packet.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], (uint)packet.Length);
        output.Write(header);
        output.Write(packet);
    }
}
