using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace FastMesh.Cli.Views;

/// <summary>
/// The whole terminal for a while: another screen without cursor, and keys as they are typed. What was on the terminal comes back when it is
/// disposed, which a signal that ends the program leads to as well: it arrives as <see cref="Quit"/>.
/// </summary>
internal sealed class FullScreen : IDisposable
{
    /// <summary>What <see cref="WaitForKey"/> gives when the user or a signal wants an end.</summary>
    public const char Quit = 'q';

    private const string Enter = "\e[?1049h\e[?25l", Leave = "\e[?25h\e[?1049l", Home = "\e[H", ClearLine = "\e[K", ClearBelow = "\e[J";
    private const char CtrlC = '\u0003', Escape = '\e';

    private readonly BlockingCollection<char> _keys = [];
    private readonly PosixSignalRegistration[] _signals;
    private readonly TextWriter _output;

    /// <summary>Takes the terminal over.</summary>
    /// <param name="output">Standard output.</param>
    public FullScreen(TextWriter output)
    {
        _output = output;
        _signals = [.. ((PosixSignal[])[PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT, PosixSignal.SIGINT])
            .Select(signal => PosixSignalRegistration.Create(signal, End))];
        Console.TreatControlCAsInput = true; // also Ctrl-Z, which would leave the terminal as it is now
        _output.Write(Enter);
        _output.Flush();
        new Thread(ReadKeys) { IsBackground = true, Name = "keys" }.Start();
    }

    /// <summary>Puts lines on the screen, cut to its height.</summary>
    public void Show(IEnumerable<string> lines)
    {
        string text = string.Join(ClearLine + "\r\n", lines.Take(Math.Max(1, Console.WindowHeight)));
        _output.Write($"{Home}{text}{ClearLine}{ClearBelow}");
        _output.Flush();
    }

    /// <summary>The next key, or null if none is pressed for so long.</summary>
    public char? WaitForKey(TimeSpan time) => _keys.TryTake(out char key, time) ? key : null;

    /// <summary>Gives the terminal back.</summary>
    public void Dispose()
    {
        _output.Write(Leave);
        _output.Flush();
        Console.TreatControlCAsInput = false;
        Array.ForEach(_signals, static signal => signal.Dispose());
    }

    private void End(PosixSignalContext context)
    {
        context.Cancel = true;
        _keys.Add(Quit);
    }

    private void ReadKeys()
    {
        try
        {
            while (true)
            {
                char key = Console.ReadKey(intercept: true).KeyChar;
                _keys.Add(key is CtrlC or Escape ? Quit : key);
            }
        }
        catch (Exception e) when (e is InvalidOperationException or IOException)
        {
            _keys.Add(Quit); // the terminal is gone
        }
    }
}
