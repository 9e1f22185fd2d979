using System.Runtime.InteropServices;
using FastMesh.Native.Interop;
using FastMesh.Native.Linux;

namespace FastMesh.Native.Tests.Linux;

/// <summary>Only what does not change the test process for good; the rest is seen in tests of the whole program.</summary>
public sealed class ProcessControlTests
{
    [Fact]
    public void A_lock_excludes_another_opening_of_the_file_until_it_is_closed()
    {
        string path = Path.GetTempFileName();
        try
        {
            using SafeFd second = ProcessControl.OpenFile(path, create: false);
            using (SafeFd first = ProcessControl.OpenFile(path, create: false))
            {
                Assert.Equal(0, ProcessControl.TryLock(first.Descriptor));
                Assert.Equal(-Errno.EAGAIN, ProcessControl.TryLock(second.Descriptor));
            }
            Assert.Equal(0, ProcessControl.TryLock(second.Descriptor));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void A_file_that_cannot_be_opened_is_named()
    {
        LinuxException error = Assert.Throws<LinuxException>(() => ProcessControl.OpenFile("/no/such/file", create: true));
        Assert.Equal("Could not open /no/such/file: No such file or directory (ENOENT)", error.Message);
    }

    [Fact]
    public void Signal_zero_tells_whether_a_process_lives()
    {
        Assert.Equal(0, ProcessControl.Kill(Environment.ProcessId, 0));
        Assert.Equal(-Errno.ESRCH, ProcessControl.Kill(int.MaxValue, 0));
    }

    [Fact]
    public void A_pipe_carries_bytes_and_its_end()
    {
        (SafeFd read, SafeFd write) = ProcessControl.Pipe();
        byte[] buffer = new byte[10];
        using (read)
        {
            using (write)
                Assert.Equal(2, FileIo.Write(write.Descriptor, "ok"u8));
            Assert.Equal(2, FileIo.Read(read.Descriptor, buffer));
            Assert.Equal(0, FileIo.Read(read.Descriptor, buffer));
        }
    }

    [Fact]
    public unsafe void Pieces_are_written_as_one()
    {
        (SafeFd read, SafeFd write) = ProcessControl.Pipe();
        using (read)
        using (write)
        {
            byte* a = stackalloc byte[] { 1, 2 }, b = stackalloc byte[] { 3 };
            IoVector[] pieces = [new() { Base = a, Length = 2 }, new() { Base = b, Length = 1 }];
            Assert.Equal(3, FileIo.Writev(write.Descriptor, pieces));
            byte[] buffer = new byte[10];
            Assert.Equal(3, FileIo.Read(read.Descriptor, buffer));
            Assert.Equal([1, 2, 3], buffer[..3]);
        }
    }

    [Fact]
    public void An_inherited_descriptor_becomes_ours_and_a_closed_one_is_refused()
    {
        (SafeFd read, SafeFd write) = ProcessControl.Pipe();
        using (write)
        {
            int raw = Libc.fcntl(read.Descriptor, 0 /* F_DUPFD: without close-on-exec */, 100);
            read.Dispose();
            using (SafeFd adopted = FileIo.Adopt(raw))
            {
                Assert.Equal(-Errno.EAGAIN, FileIo.Read(adopted.Descriptor, new byte[1]));
                Assert.Equal(1, Libc.fcntl(raw, Libc.F_GETFD, 0));
                Assert.Equal(0, FileIo.SetCloseOnExec(raw, false));
                Assert.Equal(0, Libc.fcntl(raw, Libc.F_GETFD, 0));
            }
        }
        LinuxException error = Assert.Throws<LinuxException>(() => FileIo.Adopt(100_000));
        Assert.Equal("Could not use inherited descriptor 100000: Bad file descriptor (EBADF)", error.Message);
    }

    [Fact]
    public void A_user_is_found_with_its_groups_and_an_unknown_one_is_named()
    {
        UserIdentity root = ProcessControl.FindUser("root");
        Assert.Equal((0u, 0u), (root.User, root.Group));
        Assert.Contains(0u, root.Groups);
        Assert.Contains("no-such-user", Assert.Throws<LinuxException>(() => ProcessControl.FindUser("no-such-user")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_thread_can_be_pinned_to_each_allowed_processor_and_no_other()
    {
        OnThread(() =>
        {
            int[] allowed = CpuAffinity.Allowed();
            Assert.Equal(Environment.ProcessorCount, allowed.Length);
            foreach (int cpu in allowed)
            {
                Assert.Equal(0, CpuAffinity.Pin(cpu));
                Assert.Equal([cpu], CpuAffinity.Allowed());
            }
            Assert.Equal(-Errno.EINVAL, CpuAffinity.Pin(1023));
            Assert.Equal(-Errno.EINVAL, CpuAffinity.Pin(-1));
        });
    }

    [Fact]
    public void A_thread_is_named_in_fifteen_bytes()
    {
        OnThread(static () =>
        {
            Assert.Equal(0, ProcessControl.SetThreadName("fastmesh-shard-number-1"));
            Assert.Equal("fastmesh-shard-\n", File.ReadAllText($"/proc/self/task/{gettid()}/comm"));
        });
    }

    [Fact]
    public void A_file_is_no_terminal()
    {
        using SafeFd file = ProcessControl.OpenFile("/dev/null", create: false);
        Assert.False(ProcessControl.IsTerminal(file.Descriptor));
    }

    [Fact]
    public void The_umask_comes_back()
    {
        int before = ProcessControl.SetUmask(0x3F);
        Assert.Equal(0x3F, ProcessControl.SetUmask(before));
    }

    [Fact]
    public void The_system_log_takes_any_text()
    {
        using Syslog log = new("fastmesh.test");
        log.Write(7, "100 %s %n of a test");
        log.Dispose();
        log.Write(7, "lost");
    }

    [SkippableFact]
    public void Niceness_reaches_every_thread_and_can_be_taken_back_by_root()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "needs root");
        using ManualResetEventSlim started = new(), done = new();
        int id = 0;
        Thread other = new(() =>
        {
            id = gettid();
            started.Set();
            done.Wait();
        });
        other.Start();
        started.Wait();
        try
        {
            Assert.Equal(0, ProcessControl.SetNice(1));
            string stat = File.ReadAllText($"/proc/self/task/{id}/stat");
            Assert.Equal("1", stat.Split(") ")[^1].Split(' ')[16]); // field 19, counted after the name
        }
        finally
        {
            Assert.Equal(0, ProcessControl.SetNice(0));
            done.Set();
            other.Join();
        }
    }

    [SkippableFact]
    public void Locked_memory_is_seen_by_the_system()
    {
        Skip.IfNot(Environment.IsPrivilegedProcess, "needs root");
        try
        {
            ProcessControl.LockMemory();
            string line = File.ReadLines("/proc/self/status").First(static l => l.StartsWith("VmLck:", StringComparison.Ordinal));
            Assert.NotEqual("0 kB", line["VmLck:".Length..].Trim());
        }
        finally
        {
            Assert.Equal(0, munlockall());
        }
    }

    private static void OnThread(Action action)
    {
        Exception? failure = null;
        Thread thread = new(() =>
        {
            try
            {
                action();
            }
            catch (Exception e)
            {
                failure = e;
            }
        });
        thread.Start();
        thread.Join();
        Assert.Null(failure);
    }

    [DllImport("libc")]
    private static extern int gettid();

    [DllImport("libc")]
    private static extern int munlockall();
}
