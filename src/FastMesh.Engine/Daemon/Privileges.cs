using System.Diagnostics.CodeAnalysis;
using System.Net;
using System.Net.Sockets;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using FastMesh.Engine.Crypto;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Daemon;

/// <summary>What the daemon gives up once it is set up (-U, -R).</summary>
internal static class Privileges
{
    /// <summary>Changes the root directory, then the user.</summary>
    /// <exception cref="LinuxException">The user is unknown, or the kernel refuses.</exception>
    public static void Drop(string? user, string? root)
    {
        UserIdentity? identity = user is null ? null : ProcessControl.FindUser(user);
        if (root is not null)
        {
            Preload();
            ProcessControl.ChangeRoot(root);
        }

        if (identity is not null)
            ProcessControl.SwitchUser(identity);
    }

    /// <summary>
    /// Loads what would otherwise be loaded when first needed, and could not be found in another root: the native libraries behind
    /// cryptography, compression and name resolution, the time zone, and without a native program the assemblies.
    /// </summary>
    private static void Preload()
    {
        if (RuntimeFeature.IsDynamicCodeSupported)
            LoadReferences(Assembly.GetEntryAssembly() ?? typeof(Privileges).Assembly, []);
        _ = Encryption.Description;
        foreach (int level in (ReadOnlySpan<int>)[1, 10, 12]) // one of each library
            _ = FrameCompressor.TryCreate(level);
        _ = TimeZoneInfo.Local.IsDaylightSavingTime(DateTime.Now);
        _ = RandomNumberGenerator.GetInt32(2);
        _ = SHA256.HashData([]);
        try
        {
            _ = Dns.GetHostAddresses("localhost");
        }
        catch (SocketException)
        {
            // Only the loading counts.
        }
    }

    [UnconditionalSuppressMessage("Trimming", "IL2026", Justification = "What trimming removed need not be loaded.")]
    private static void LoadReferences(Assembly assembly, HashSet<string> seen)
    {
        foreach (AssemblyName reference in assembly.GetReferencedAssemblies())
        {
            if (!seen.Add(reference.FullName))
                continue;
            try
            {
                Assembly loaded = Assembly.Load(reference);
                RuntimeHelpers.RunModuleConstructor(loaded.ManifestModule.ModuleHandle);
                LoadReferences(loaded, seen);
            }
            catch (Exception e) when (e is IOException or BadImageFormatException)
            {
                // A reference for another platform; it was never going to be used.
            }
        }
    }
}
