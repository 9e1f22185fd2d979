using System.Globalization;
using System.Net;

namespace FastMesh.Engine.Daemon;

/// <summary>
/// What the daemon has set up of an interface that outlives it, in a file beside the pid file: by it the next start knows what one that was killed has left.
/// It holds for one boot, network namespace and interface. The file stays open, so that neither another user (-U) nor another root (-R)
/// keeps it from being true; where it cannot be written, what is left counts as somebody else's. One thread at a time.
/// </summary>
internal sealed class ProvisioningRecord : IDisposable
{
    private readonly string _path;
    private readonly string _place;
    private readonly FileStream? _file;

    /// <summary>Opens the file, made if there is none.</summary>
    /// <param name="path">Its path.</param>
    /// <param name="index">The interface's number, which no other one gets until the next boot.</param>
    public ProvisioningRecord(string path, int index)
    {
        _path = path;
        try
        {
            string boot = File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim();
            _place = string.Create(CultureInfo.InvariantCulture, $"{boot} {new FileInfo("/proc/self/ns/net").LinkTarget} {index}");
            _file = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            _place = "";
        }
    }

    /// <summary>Whether there is something in a record.</summary>
    public static bool IsAt(string path) => new FileInfo(path) is { Exists: true, Length: > 0 };

    /// <summary>What was left, in the order in which it was set up; nothing if the record is of another interface, or broken.</summary>
    /// <param name="mtu">The interface's MTU before all of it, in bytes; unchanged if nothing was left.</param>
    public IReadOnlyList<InterfaceStep> Read(ref int mtu)
    {
        if (_file is null)
            return [];
        using StreamReader reader = new(_file, leaveOpen: true);
        string[] lines = reader.ReadToEnd().Split('\n', StringSplitOptions.RemoveEmptyEntries);
        if (lines.Length < 2 || lines[0] != _place || !int.TryParse(lines[1], NumberStyles.None, CultureInfo.InvariantCulture, out int before))
            return [];
        List<InterfaceStep> steps = [];
        foreach (string line in lines[2..])
        {
            if (Parse(line.Split(' ')) is not { } step)
                return [];
            steps.Add(step);
        }

        mtu = before;
        return steps;
    }

    /// <summary>Writes it anew; nothing set up makes it empty.</summary>
    public void Write(int mtu, IReadOnlyCollection<InterfaceStep> steps)
    {
        if (_file is null)
            return;
        try
        {
            _file.SetLength(0);
            if (steps.Count == 0)
                return;
            using StreamWriter writer = new(_file, leaveOpen: true) { NewLine = "\n" };
            writer.WriteLine(_place);
            writer.WriteLine(mtu);
            foreach (InterfaceStep step in steps)
                writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{step.Kind} {step.Number} {step.Address} {step.Gateway}"));
        }
        catch (IOException)
        {
            // A full disk: an incomplete record is none.
        }
    }

    /// <summary>Closes it, and removes it if it is empty and can be.</summary>
    public void Dispose()
    {
        bool isEmpty = _file?.Length == 0;
        _file?.Dispose();
        try
        {
            if (isEmpty)
                File.Delete(_path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // It stays, empty.
        }
    }

    private static InterfaceStep? Parse(string[] fields)
    {
        if (fields.Length != 4 || !Enum.TryParse(fields[0], out InterfaceStepKind kind)
            || !int.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out int number))
            return null;
        _ = IPAddress.TryParse(fields[2], out IPAddress? address);
        _ = IPAddress.TryParse(fields[3], out IPAddress? gateway);
        bool needsAddress = kind is InterfaceStepKind.Address or InterfaceStepKind.Route;
        return needsAddress && address is null ? null : new InterfaceStep(kind, address, number, gateway) { Source = "a record" };
    }
}
