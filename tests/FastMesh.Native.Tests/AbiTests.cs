using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;
using FastMesh.Native.Interop;
using FastMesh.Native.Linux;

namespace FastMesh.Native.Tests;

/// <summary>The layouts and numbers we hand to the kernel and the libraries.</summary>
public sealed class AbiTests
{
    // linux-dataplane reference, 1.1 and 2.1; LP64
    [Fact]
    public void Structures_have_the_sizes_of_the_kernel()
    {
        Assert.Equal(16, Unsafe.SizeOf<Libc.Iovec>());
        Assert.Equal(16, Unsafe.SizeOf<IoVector>());
        Assert.Equal(56, Unsafe.SizeOf<Libc.Msghdr>());
        Assert.Equal(64, Unsafe.SizeOf<Libc.Mmsghdr>());
        Assert.Equal(16, Unsafe.SizeOf<Libc.Cmsghdr>());
        Assert.Equal(40, Unsafe.SizeOf<Libc.Ifreq>());
        Assert.Equal(16, Unsafe.SizeOf<Libc.SockFprog>());
        Assert.Equal(8, Unsafe.SizeOf<BpfInstruction>());
        Assert.Equal(20, Unsafe.SizeOf<Libc.SockaddrLl>());
        Assert.Equal(16, Unsafe.SizeOf<Libc.Rlimit>());
        Assert.Equal(16, Unsafe.SizeOf<Libc.Timespec>());
        Assert.Equal(48, Unsafe.SizeOf<Libc.Passwd>());
        Assert.Equal(112, Unsafe.SizeOf<Libz.ZStream>());
        Assert.Equal(256, Unsafe.SizeOf<Libc.Statx>()); // statx(2)
    }

    // linux-dataplane reference, 3.1 and 3.2
    [Fact]
    public void Structures_of_rings_have_the_sizes_of_the_kernel_and_of_liburing()
    {
        Assert.Equal(216, Unsafe.SizeOf<Liburing.IoUring>());
        Assert.Equal(120, Unsafe.SizeOf<Liburing.IoUringParams>());
        Assert.Equal(64, Unsafe.SizeOf<Liburing.IoUringSqe>());
        Assert.Equal(16, Unsafe.SizeOf<Liburing.IoUringCqe>());
        Assert.Equal(16, Unsafe.SizeOf<Liburing.IoUringBuf>());
        Assert.Equal(40, Unsafe.SizeOf<Liburing.IoUringBufReg>());
        Assert.Equal(16, Unsafe.SizeOf<Liburing.IoUringRecvmsgOut>());
        Assert.Equal(24, Unsafe.SizeOf<Liburing.IoUringGeteventsArg>());
        Assert.Equal(16, Unsafe.SizeOf<Liburing.IoUringProbe>());
        Assert.Equal(8, Unsafe.SizeOf<Liburing.IoUringProbeOp>());
    }

    [Fact]
    public void Message_headers_have_the_offsets_of_the_kernel()
    {
        Libc.Mmsghdr m = default;
        Assert.Equal(8, Offset(ref m, ref m.msg_hdr.msg_namelen));
        Assert.Equal(24, Offset(ref m, ref m.msg_hdr.msg_iovlen));
        Assert.Equal(40, Offset(ref m, ref m.msg_hdr.msg_controllen));
        Assert.Equal(48, Offset(ref m, ref m.msg_hdr.msg_flags));
        Assert.Equal(56, Offset(ref m, ref m.msg_len));
        Libc.Statx s = default;
        Assert.Equal(20, Offset(ref s, ref s.stx_uid));
        Assert.Equal(24, Offset(ref s, ref s.stx_gid));
        Libc.Cmsghdr c = default;
        Assert.Equal(8, Offset(ref c, ref c.cmsg_level));
        Assert.Equal(12, Offset(ref c, ref c.cmsg_type));
        Libz.ZStream z = default;
        Assert.Equal(8, Offset(ref z, ref z.avail_in));
        Assert.Equal(32, Offset(ref z, ref z.avail_out));
        Assert.Equal(40, Offset(ref z, ref z.total_out));
        Libc.SockaddrLl a = default;
        Assert.Equal(2, Offset(ref a, ref a.sll_protocol));
        Assert.Equal(4, Offset(ref a, ref a.sll_ifindex));
        Libc.Passwd p = default;
        Assert.Equal(16, Offset(ref p, ref p.pw_uid));
        Assert.Equal(20, Offset(ref p, ref p.pw_gid));
    }

    /// <summary>Asks the C compiler, if there is one, for the value of every constant that has a C name.</summary>
    [SkippableFact]
    public void Every_constant_has_the_value_of_the_system_headers()
    {
        const BindingFlags Flags = BindingFlags.Static | BindingFlags.NonPublic | BindingFlags.Public;
        List<FieldInfo> constants =
        [
            .. typeof(Libc).GetFields(Flags).Where(static f => !f.Name.Any(char.IsAsciiLetterLower)),
            .. typeof(Errno).GetFields(Flags).Where(f => f.IsLiteral),
            .. typeof(Liburing).GetFields(Flags).Where(f => f.IsLiteral && f.Name.Contains('_') && f.Name != "IORING_OP_READ_MULTISHOT"), // newer than headers
        ];
        Assert.True(constants.Count > 100);
        StringBuilder source = new("#define _GNU_SOURCE\n");
        foreach (string header in (string[])["fcntl.h", "poll.h", "errno.h", "syslog.h", "sys/epoll.h", "sys/eventfd.h", "sys/file.h",
            "sys/mman.h", "sys/prctl.h", "sys/resource.h", "sys/socket.h", "sys/ioctl.h", "netinet/in.h", "netinet/ip.h", "netinet/tcp.h",
            "netinet/udp.h", "linux/if.h", "linux/if_ether.h", "linux/if_tun.h", "linux/sockios.h", "linux/io_uring.h", "linux/rtnetlink.h", "signal.h", "stdio.h",
            "sys/stat.h", "time.h"])
            source.AppendLine(CultureInfo.InvariantCulture, $"#include <{header}>");
        source.AppendLine("#ifndef UDP_GRO\n#define UDP_GRO 104\n#endif\n#ifndef UDP_SEGMENT\n#define UDP_SEGMENT 103\n#endif\nint main(void){");
        foreach (FieldInfo f in constants)
            source.AppendLine(CultureInfo.InvariantCulture, $"printf(\"{f.Name} %llu\\n\", (unsigned long long){f.Name});");
        source.AppendLine("}");
        Dictionary<string, ulong> actual = CompileAndRun(source.ToString());
        foreach (FieldInfo f in constants)
        {
            object value = f.IsLiteral ? f.GetRawConstantValue()! : f.GetValue(null)!;
            Assert.Equal((f.Name, actual[f.Name]), (f.Name, value switch { nuint n => n, int i => unchecked((ulong)i), _ => Convert.ToUInt64(value, CultureInfo.InvariantCulture) }));
        }
    }

    private static Dictionary<string, ulong> CompileAndRun(string source)
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("fastmesh-abi");
        try
        {
            string file = Path.Combine(folder.FullName, "abi.c"), program = Path.Combine(folder.FullName, "abi");
            File.WriteAllText(file, source);
            string? compiler = new[] { "/usr/bin/cc", "/usr/bin/gcc", "/usr/bin/clang" }.FirstOrDefault(File.Exists);
            Skip.If(compiler is null, "there is no C compiler");
            Run(compiler!, "-o", program, file);
            return Run(program).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(static line => line.Split(' '))
                .DistinctBy(static word => word[0])
                .ToDictionary(static word => word[0], static word => ulong.Parse(word[1], CultureInfo.InvariantCulture));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start)!;
        string output = process.StandardOutput.ReadToEnd();
        Assert.True(process.WaitForExit(30_000) && process.ExitCode == 0, process.StandardError.ReadToEnd());
        return output;
    }

    private static long Offset<TStruct, TField>(ref TStruct start, ref TField field) =>
        Unsafe.ByteOffset(ref Unsafe.As<TStruct, byte>(ref start), ref Unsafe.As<TField, byte>(ref field));
}
