using System.Text;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Daemon;

/// <summary>
/// The log file (<c>--logfile</c>). It can be opened anew after logrotate has moved it, with another root (-R), because it is found by its
/// directory; and by another user (-U), because it is given to that user, whom logrotate's <c>create</c> gives the next one to. One thread
/// at a time.
/// </summary>
public sealed class LogFile : IDisposable
{
    private readonly AppendedFile? _file;

    /// <summary>Opens the file for appending.</summary>
    /// <param name="path">Its absolute path.</param>
    /// <param name="user">Whose it shall be, or null.</param>
    /// <param name="problem">Why lines get lost, or null.</param>
    public LogFile(string path, string? user, out string? problem)
    {
        try
        {
            _file = new AppendedFile(path);
            problem = Reopen();
            if (user is null)
                return;
            UserIdentity owner = ProcessControl.FindUser(user);
            if (problem is null)
                _ = _file.GiveTo(owner); // if not ours to give away, opening it again may fail, which is told then
            else if (_file.Reopen(owner) == 0)
                problem = null; // it is the user's already, and root has no right to write to it without CAP_DAC_OVERRIDE
        }
        catch (LinuxException e)
        {
            problem = _file is null ? Errno.Message(e.Errno) : null; // an unknown user ends the start later
        }
    }

    /// <summary>Opens it anew. If that fails the one that is open stays in use.</summary>
    /// <returns>Null, or why it failed.</returns>
    public string? Reopen() => _file?.Reopen() is < 0 and int error ? Errno.Message(error) : null;

    /// <summary>Appends a line; a full disk loses it.</summary>
    public void WriteLine(string line) => _file?.Write(Encoding.UTF8.GetBytes(line + "\n"));

    /// <summary>Closes it.</summary>
    public void Dispose() => _file?.Dispose();
}
