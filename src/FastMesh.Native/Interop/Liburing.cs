using System.Runtime.InteropServices;

namespace FastMesh.Native.Interop;

/// <summary>
/// liburing 2.3 (Debian 12) to 2.9 (Debian 13) and later: what it exports to set rings up. The rest of its interface is inline C; see Uring. Every function
/// returns a negated errno if it fails and leaves errno alone (linux-dataplane reference, 3.1).
/// </summary>
internal static unsafe partial class Liburing
{
    private const string Library = "liburing.so.2";

    internal const uint IORING_SETUP_CQSIZE = 1 << 3, IORING_SETUP_R_DISABLED = 1 << 6, IORING_SETUP_SUBMIT_ALL = 1 << 7;
    internal const uint IORING_SETUP_COOP_TASKRUN = 1 << 8, IORING_SETUP_TASKRUN_FLAG = 1 << 9;
    internal const uint IORING_SETUP_SINGLE_ISSUER = 1 << 12, IORING_SETUP_DEFER_TASKRUN = 1 << 13;
    internal const uint IORING_FEAT_NODROP = 1 << 1, IORING_FEAT_EXT_ARG = 1 << 8;
    internal const uint IORING_ENTER_GETEVENTS = 1, IORING_ENTER_EXT_ARG = 8;
    internal const uint IORING_SQ_CQ_OVERFLOW = 2, IORING_SQ_TASKRUN = 4;
    internal const uint IORING_CQE_F_BUFFER = 1, IORING_CQE_F_MORE = 2;
    internal const int IORING_CQE_BUFFER_SHIFT = 16;
    internal const byte IOSQE_FIXED_FILE = 1, IOSQE_BUFFER_SELECT = 0x20;
    internal const ushort IORING_RECV_MULTISHOT = 2;
    internal const uint IORING_ASYNC_CANCEL_ANY = 4;
    internal const uint POLLIN = 1;

    internal const byte IORING_OP_POLL_ADD = 6, IORING_OP_RECVMSG = 10, IORING_OP_ASYNC_CANCEL = 14, IORING_OP_READ = 22, IORING_OP_WRITE = 23;
    internal const byte IORING_OP_SEND_ZC = 47, IORING_OP_READ_MULTISHOT = 49;

    internal const uint IORING_REGISTER_FILES = 2, IORING_UNREGISTER_FILES = 3, IORING_REGISTER_PROBE = 8, IORING_REGISTER_ENABLE_RINGS = 12, IORING_REGISTER_PBUF_RING = 22;

    /// <summary>Whether the library can be loaded.</summary>
    internal static bool IsPresent { get; } = NativeLibrary.TryLoad(Library, typeof(Liburing).Assembly, null, out _);

    [LibraryImport(Library)]
    internal static partial int io_uring_queue_init_params(uint entries, IoUring* ring, IoUringParams* parameters);

    [LibraryImport(Library)]
    internal static partial void io_uring_queue_exit(IoUring* ring);

    [LibraryImport(Library)]
    internal static partial int io_uring_enter2(uint fd, uint submit, uint minComplete, uint flags, void* argument, nuint size);

    [LibraryImport(Library)]
    internal static partial int io_uring_register(uint fd, uint operation, void* argument, uint count);
}
