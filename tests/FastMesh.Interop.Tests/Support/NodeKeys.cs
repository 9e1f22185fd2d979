using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace FastMesh.Interop.Tests.Support;

/// <summary>One RSA key pair per node name and run: making keys is slow and is tested elsewhere.</summary>
public sealed record NodeKeys(string PrivatePem, string PublicPem)
{
    private static readonly ConcurrentDictionary<string, NodeKeys> s_byName = new();

    public static NodeKeys For(string name) => s_byName.GetOrAdd(name, _ => Create(2048));

    public static NodeKeys Create(int bits)
    {
        using RSA rsa = RSA.Create(bits);
        return new(rsa.ExportRSAPrivateKeyPem() + "\n", rsa.ExportRSAPublicKeyPem() + "\n");
    }
}
