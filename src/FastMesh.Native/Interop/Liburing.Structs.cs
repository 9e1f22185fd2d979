using System.Runtime.InteropServices;

namespace FastMesh.Native.Interop;

/// <summary>Layouts of the kernel (linux/io_uring.h) and of liburing: linux-dataplane reference, 3.1 and 3.2.</summary>
internal static unsafe partial class Liburing
{
    /// <summary>struct io_uring: where the rings are mapped.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 216)]
    internal struct IoUring
    {
        [FieldOffset(0)] internal uint* SubmissionHead;
        [FieldOffset(8)] internal uint* SubmissionTail;
        [FieldOffset(32)] internal uint* SubmissionFlags;
        [FieldOffset(48)] internal uint* SubmissionArray;
        [FieldOffset(56)] internal IoUringSqe* Sqes;
        [FieldOffset(88)] internal uint SubmissionMask; // valid from liburing 2.3 on, as are the other mask and the entries
        [FieldOffset(92)] internal uint SubmissionEntries;
        [FieldOffset(104)] internal uint* CompletionHead;
        [FieldOffset(112)] internal uint* CompletionTail;
        [FieldOffset(144)] internal uint* CompletionOverflow;
        [FieldOffset(152)] internal IoUringCqe* Cqes;
        [FieldOffset(176)] internal uint CompletionMask;
        [FieldOffset(180)] internal uint CompletionEntries;
        [FieldOffset(196)] internal int RingDescriptor;
        [FieldOffset(200)] internal uint Features;
    }

    [StructLayout(LayoutKind.Explicit, Size = 120)]
    internal struct IoUringParams
    {
        [FieldOffset(4)] internal uint CompletionEntries;
        [FieldOffset(8)] internal uint Flags;
        [FieldOffset(20)] internal uint Features;
    }

    [StructLayout(LayoutKind.Explicit, Size = 64)]
    internal struct IoUringSqe
    {
        [FieldOffset(0)] internal byte Opcode;
        [FieldOffset(1)] internal byte Flags;
        [FieldOffset(2)] internal ushort Priority;
        [FieldOffset(4)] internal int Descriptor;
        [FieldOffset(8)] internal ulong Offset;
        [FieldOffset(16)] internal void* Address;
        [FieldOffset(24)] internal uint Length;
        [FieldOffset(28)] internal uint OperationFlags;
        [FieldOffset(32)] internal ulong UserData;
        [FieldOffset(40)] internal ushort BufferGroup;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct IoUringCqe
    {
        internal ulong UserData;
        internal int Result;
        internal uint Flags;
    }

    /// <summary>struct io_uring_buf, of which the last two bytes of the first one in a ring are the ring's tail.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 16)]
    internal struct IoUringBuf
    {
        [FieldOffset(0)] internal ulong Address;
        [FieldOffset(8)] internal uint Length;
        [FieldOffset(12)] internal ushort Id;
        [FieldOffset(14)] internal ushort RingTail;
    }

    [StructLayout(LayoutKind.Explicit, Size = 40)]
    internal struct IoUringBufReg
    {
        [FieldOffset(0)] internal ulong Ring;
        [FieldOffset(8)] internal uint Entries;
        [FieldOffset(12)] internal ushort Group;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct IoUringRecvmsgOut
    {
        internal uint NameLength;
        internal uint ControlLength;
        internal uint PayloadLength;
        internal uint Flags;
    }

    [StructLayout(LayoutKind.Sequential)]
    internal struct IoUringGeteventsArg
    {
        internal ulong SignalMask;
        internal uint SignalMaskSize;
        internal uint MinWaitMicroseconds;
        internal KernelTimespec* Timeout;
    }

    /// <summary>struct __kernel_timespec.</summary>
    [StructLayout(LayoutKind.Sequential)]
    internal struct KernelTimespec
    {
        internal long Seconds;
        internal long Nanoseconds;
    }

    /// <summary>struct io_uring_probe; the operations follow.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 16)]
    internal struct IoUringProbe
    {
        [FieldOffset(0)] internal byte LastOperation;
        [FieldOffset(1)] internal byte Operations;
    }

    [StructLayout(LayoutKind.Explicit, Size = 8)]
    internal struct IoUringProbeOp
    {
        internal const ushort Supported = 1;
        [FieldOffset(0)] internal byte Operation;
        [FieldOffset(2)] internal ushort Flags;
    }
}
