using System.Runtime.InteropServices;
using System.Text;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Linux;

/// <summary>
/// Non-blocking stream sockets that are named by a path. Connections are taken with <see cref="TcpSocket.Accept"/> and used as any descriptor.
/// </summary>
public static unsafe class UnixSocket
{
    /// <summary>Bytes of the longest path: sun_path less its NUL.</summary>
    public const int MaxPathLength = 107;

    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>
    /// Opens a listener that only its owner may connect to (0600). A socket that nobody listens on any more is replaced. Before the mode is
    /// set nobody listens, so that nobody can slip in.
    /// </summary>
    /// <exception cref="LinuxException">
    /// The path is too long (ENAMETOOLONG), something else lies there (EEXIST), somebody listens there (EADDRINUSE), or as bind(2) says.
    /// </exception>
    /// <exception cref="IOException">The mode cannot be set.</exception>
    public static SafeFd Listen(string path, int backlog)
    {
        string operation = $"Could not listen on {path}";
        byte[] address = AddressOf(path, operation);
        SafeFd socket = Open(operation);
        try
        {
            int result = SocketAddress.Bind(socket.Descriptor, address);
            if (result == -Errno.EADDRINUSE)
            {
                RemoveStale(path, address, operation);
                result = SocketAddress.Bind(socket.Descriptor, address);
            }

            Syscall.Check(result, operation);
            File.SetUnixFileMode(path, OwnerOnly);
            Syscall.Check(Syscall.Result(Libc.listen(socket.Descriptor, backlog)), operation);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static SafeFd Open(string operation) => new(Syscall.Check(
        Syscall.Result(Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, 0)), operation));

    private static void RemoveStale(string path, ReadOnlySpan<byte> address, string operation)
    {
        using (SafeFd probe = Open(operation))
        {
            if (SocketAddress.Connect(probe.Descriptor, address) is 0 or -Errno.EAGAIN)
                throw new LinuxException(operation, Errno.EADDRINUSE);
        }

        if (new FileInfo(path) is { Exists: true, Length: > 0 }) // a socket has no length
            throw new LinuxException(operation, Errno.EEXIST);
        File.Delete(path);
    }

    private static byte[] AddressOf(string path, string operation)
    {
        byte[] name = Encoding.UTF8.GetBytes(path);
        if (name.Length is 0 or > MaxPathLength)
            throw new LinuxException(operation, Errno.ENAMETOOLONG);
        byte[] address = new byte[sizeof(ushort) + name.Length + 1];
        MemoryMarshal.Write(address, (ushort)Libc.AF_UNIX);
        name.CopyTo(address, sizeof(ushort));
        return address;
    }
}
