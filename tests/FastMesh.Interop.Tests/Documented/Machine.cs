using System.Diagnostics;
using System.Globalization;
using FastMesh.Interop.Tests.Support;
using FastMesh.Tests;

namespace FastMesh.Interop.Tests.Documented;

/// <summary>
/// A host that looks like a machine of its own: name, /etc/tinc, /etc/hosts, /run and /var/log are not those of the real one, the program is installed, and
/// <c>sudo</c> and <c>systemctl</c> are stand-ins (we are root; no systemd runs here).
/// </summary>
internal sealed class Machine : IDisposable
{
    private readonly Process _holder;
    private readonly string _programs;

    /// <summary>Makes the machine out of a host of the network.</summary>
    /// <param name="host">Its network.</param>
    /// <param name="root">Root of the sources, for the units.</param>
    /// <param name="names">Lines of its /etc/hosts.</param>
    public Machine(NetworkHost host, string root, string names)
    {
        Host = host;
        string scratch = System.IO.Directory.CreateDirectory(Path.Combine(host.Network.Directory, host.Name)).FullName;
        _programs = System.IO.Directory.CreateDirectory(Path.Combine(scratch, "bin")).FullName;
        File.CreateSymbolicLink(Path.Combine(_programs, "fastmesh"), Programs.FastMeshPath);
        WriteProgram("sudo", "exec \"$@\"");
        WriteProgram("systemctl", Systemctl(root));
        File.WriteAllText(Path.Combine(scratch, "hosts"), names);
        string ready = Path.Combine(scratch, "ready");
        System.IO.Directory.CreateDirectory("/etc/tinc");
        _holder = Process.Start(Shell.StartInfo(host.Inside("unshare", "--mount", "--uts", "sh", "-ec", $"""
            hostname {host.Name}
            mount --bind {scratch}/hosts /etc/hosts
            for directory in /etc/tinc /run /var/log; do mount -t tmpfs tmpfs $directory; done
            touch {ready}
            exec sleep infinity
            """)))!;
        Poll.Until(() => File.Exists(ready), () => $"no machine {host.Name}: {(_holder.HasExited ? _holder.StandardError.ReadToEnd() : "")}");
    }

    /// <summary>Its network.</summary>
    public NetworkHost Host { get; }

    /// <summary>Runs one line of shell.</summary>
    public ShellResult Try(string line) => Shell.Try(Inside(line));

    /// <summary>Runs lines of shell that must succeed, and gives their output.</summary>
    public string Run(string lines) => Shell.Run(Inside(lines));

    /// <summary>Starts a line of shell that runs until the network ends.</summary>
    public void Start(string line) => Host.Start(Inside(line));

    public void Dispose()
    {
        _holder.Kill();
        _holder.WaitForExit();
        _holder.Dispose();
    }

    private string[] Inside(string line) =>
    [
        "nsenter", "-t", _holder.Id.ToString(CultureInfo.InvariantCulture), "--mount", "--uts", "--net", "--",
        "env", $"PATH={_programs}:{Environment.GetEnvironmentVariable("PATH")}", "sh", "-c", line,
    ];

    private void WriteProgram(string name, string script)
    {
        string path = Path.Combine(_programs, name);
        ExecutableFile.Write(path, $"#!/bin/sh\n{script}\n");
    }

    /// <summary>Does to a net what the unit would do, for the verbs that documents use.</summary>
    private static string Systemctl(string root) => $"""
        for unit; do :; done
        kind=${"{unit%@*}"} net=${"{unit#*@}"} daemon=fastmesh
        if test "$kind" = tinc; then daemon=tincd; else test -e "{root}/dist/$kind@.service" || exit 5; fi
        case $1 in restart | disable | stop) $daemon -n "$net" -k; while test -e "/run/tinc.$net.pid"; do sleep 0.1; done ;; esac
        case $1 in
          enable | start | restart) exec $daemon -n "$net" ;;
          reload) exec $daemon -n "$net" reload ;;
          disable | stop) ;;
          *) echo "systemctl: no stand-in for $*" >&2; exit 1 ;;
        esac
        """;
}
