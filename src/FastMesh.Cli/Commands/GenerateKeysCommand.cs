using System.Globalization;
using System.Text;
using FastMesh.Cli.Config;
using FastMesh.Engine.Crypto;

namespace FastMesh.Cli.Commands;

/// <summary>
/// <c>generate-keys</c> and its kin (tinc 1.1 reference, 2.2, 10.3). Old keys stay in their files, commented out. Both halves of a pair are written, or
/// neither.
/// </summary>
internal static class GenerateKeysCommand
{
    private const int DefaultBits = 2048, MinBits = 1024, MaxBits = 8192;

    /// <summary>Both kinds.</summary>
    public static int Both(CommandContext context) => Run(context, rsa: true, ed25519: true);

    /// <summary>RSA only.</summary>
    public static int Rsa(CommandContext context) => Run(context, rsa: true, ed25519: false);

    /// <summary>Ed25519 only.</summary>
    public static int Ed25519(CommandContext context) => Run(context, rsa: false, ed25519: true);

    /// <summary>Adds a new RSA pair to a private and a public file.</summary>
    private static void AddRsa(StagedFiles files, CommandContext context, string privateFile, string publicFile, int bits)
    {
        RsaKeyPair pair = KeysCommand.GenerateKey(bits, context.Error);
        bool disabled = AddTo(files, privateFile, $"{pair.PrivatePem}\n", KeyText.DisableRsaPrivate, AtomicFile.OwnerOnly)
            | AddTo(files, publicFile, $"{pair.PublicPem}\n", KeyText.DisableRsaPublic, AtomicFile.Readable);
        if (disabled)
            context.Note("Warning: old key(s) found and disabled.");
    }

    /// <summary>Adds an Ed25519 pair to a private and a public file.</summary>
    private static void AddEd25519(StagedFiles files, CommandContext context, string privateFile, string publicFile)
    {
        Ed25519Identity key = Ed25519Identity.Generate(new SystemRandom());
        bool disabled = AddTo(files, privateFile, key.ToPem(), KeyText.DisableEd25519Private, AtomicFile.OwnerOnly)
            | AddTo(files, publicFile, $"Ed25519PublicKey = {key.Public}\n", KeyText.DisableEd25519Public, AtomicFile.Readable);
        if (disabled)
            context.Note("Warning: old key(s) found and disabled.");
    }

    private static int Run(CommandContext context, bool rsa, bool ed25519)
    {
        int bits = DefaultBits;
        if (context.Arguments.Count > 0
            && (!int.TryParse(context.Arguments[0], NumberStyles.None, CultureInfo.InvariantCulture, out bits) || bits is < MinBits or > MaxBits))
            return context.Fail($"Invalid key size {context.Arguments[0]} specified! It should be between {MinBits} and {MaxBits} bits.");

        ConfigDirectory directory = context.Directory;
        ConfigReport report = new();
        string? name = File.Exists(directory.ServerFile) ? OwnName.Resolve(new ConfigTree(directory.ReadServer(report), report)) : null;
        foreach (string message in report.Errors)
            context.Note(message);
        try
        {
            if (rsa)
                Save(context, "RSA", directory.PrivateKeyFile, PublicFile(directory, name, "rsa_key.pub"), (files, priv, pub) => AddRsa(files, context, priv, pub, bits & ~7));
            if (ed25519)
                Save(context, "Ed25519", directory.Ed25519PrivateKeyFile, PublicFile(directory, name, "ed25519_key.pub"), (files, priv, pub) => AddEd25519(files, context, priv, pub));
            return 0;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return context.Fail($"No keys were written: {e.Message}");
        }
    }

    private static string PublicFile(ConfigDirectory directory, string? name, string nameless)
        => name is null ? Path.Combine(directory.Root, nameless) : directory.HostFile(name);

    private static void Save(CommandContext context, string kind, string privateFile, string publicFile, Action<StagedFiles, string, string> add)
    {
        using StagedFiles files = new();
        string secret = Path.GetFullPath(context.Ask($"File for the private {kind} key", privateFile));
        string open = Path.GetFullPath(context.Ask($"File for the public {kind} key", publicFile));
        add(files, secret, open);
        files.Commit();
    }

    private static bool AddTo(StagedFiles files, string path, string text, Func<string, string> disable, UnixFileMode mode)
    {
        string before = File.Exists(path) ? File.ReadAllText(path, Encoding.UTF8) : string.Empty;
        string after = disable(before);
        files.Replace(path, after + (after.Length > 0 && !after.EndsWith('\n') ? "\n" : string.Empty) + text, mode);
        return after != before;
    }
}
