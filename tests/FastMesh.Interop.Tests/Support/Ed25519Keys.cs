using System.Collections.Concurrent;

namespace FastMesh.Interop.Tests.Support;

/// <summary>One Ed25519 key pair per node name and run, made by tinc 1.1's own program.</summary>
/// <param name="PrivateFile">The content of <c>ed25519_key.priv</c>.</param>
/// <param name="PublicLine">The line for the host file, without its end.</param>
public sealed record Ed25519Keys(string PrivateFile, string PublicLine)
{
    private static readonly ConcurrentDictionary<string, Ed25519Keys> s_byName = new();

    public static Ed25519Keys For(string name) => s_byName.GetOrAdd(name, _ => Create());

    private static Ed25519Keys Create()
    {
        string directory = Directory.CreateTempSubdirectory("fastmesh-keys-").FullName;
        Directory.CreateDirectory(Path.Combine(directory, "hosts"));
        File.WriteAllText(Path.Combine(directory, "tinc.conf"), "Name = any\n");
        Shell.Run(Programs.Tinc11ControlPath, "--batch", "-c", directory, "generate-ed25519-keys");
        Ed25519Keys keys = new(
            File.ReadAllText(Path.Combine(directory, "ed25519_key.priv")), File.ReadAllText(Path.Combine(directory, "hosts", "any")).Trim());
        Directory.Delete(directory, recursive: true);
        return keys;
    }
}
