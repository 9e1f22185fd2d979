using System.Runtime.InteropServices;
using System.Text;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Linux;

/// <summary>The system log, facility daemon, with process number; to the console if no logger runs. One at a time per process.</summary>
public sealed unsafe class Syslog : IDisposable
{
    private readonly Lock _lock = new();
    private byte* _identity; // openlog keeps the pointer

    /// <summary>Opens the log under a name such as "tinc.master".</summary>
    public Syslog(string identity)
    {
        _identity = NativeString(identity);
        Libc.openlog(_identity, Libc.LOG_PID | Libc.LOG_CONS, Libc.LOG_DAEMON);
    }

    /// <summary>Writes one line; <paramref name="priority"/> is 0 (emergency) to 7 (debug). Any thread.</summary>
    public void Write(int priority, string message)
    {
        byte* text = NativeString(message);
        lock (_lock)
        {
            if (_identity is not null)
                fixed (byte* format = "%s\0"u8)
                    Libc.syslog(priority & 7, format, text);
        }
        NativeMemory.Free(text);
    }

    /// <summary>Closes the log; later lines are lost.</summary>
    public void Dispose()
    {
        lock (_lock)
        {
            if (_identity is null)
                return;
            Libc.closelog();
            NativeMemory.Free(_identity);
            _identity = null;
        }
    }

    private static byte* NativeString(string text)
    {
        int length = Encoding.UTF8.GetByteCount(text);
        byte* native = (byte*)NativeMemory.Alloc((nuint)length + 1);
        Encoding.UTF8.GetBytes(text, new Span<byte>(native, length));
        native[length] = 0;
        return native;
    }
}
