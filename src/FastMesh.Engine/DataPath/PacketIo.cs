namespace FastMesh.Engine.DataPath;

/// <summary>How packets cross the border to the kernel (<c>--io</c>).</summary>
public enum PacketIo
{
    /// <summary>What is faster: plain system calls (docs/PERFORMANCE.md, "io_uring or plain system calls").</summary>
    Auto,

    /// <summary>recvmmsg, sendmmsg, read and write, and epoll to wait.</summary>
    Mmsg,

    /// <summary>io_uring; an error where there is none.</summary>
    Uring,
}
