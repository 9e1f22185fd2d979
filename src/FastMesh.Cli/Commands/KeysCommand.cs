using FastMesh.Cli.Config;
using FastMesh.Engine.Crypto;

namespace FastMesh.Cli.Commands;

/// <summary>
/// <c>-K</c>: makes an RSA key pair and adds it to the files where tincd would (tinc 1.0 reference, 2.3). Old keys in them are
/// disabled, not removed.
/// </summary>
/// <param name="directory">Files of the net.</param>
/// <param name="input">Answers to the questions for file names, or null to take the defaults unasked.</param>
/// <param name="output">Where questions go.</param>
/// <param name="error">Where progress and errors go.</param>
internal sealed class KeysCommand(ConfigDirectory directory, TextReader? input, TextWriter output, TextWriter error)
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    /// <summary>The command as the program runs it: it asks only if both standard input and output are terminals.</summary>
    public static int Run(ConfigDirectory directory, int bits)
    {
        TextReader? input = Console.IsInputRedirected || Console.IsOutputRedirected ? null : Console.In;
        return new KeysCommand(directory, input, Console.Out, Console.Error).Generate(bits);
    }

    /// <summary>Makes and writes the pair.</summary>
    /// <param name="bits">Size of the modulus, a multiple of 8.</param>
    /// <returns>The exit code.</returns>
    public int Generate(int bits)
    {
        ConfigReport report = new();
        ConfigTree server = new(directory.ReadServer(report), report);
        string? name = server.First("Name") is null ? null : OwnName.Resolve(server);
        foreach (string message in report.Errors)
        {
            error.WriteLine(message);
        }

        RsaKeyPair pair = GenerateKey(bits, error);
        string publicFile = name is null ? Path.Combine(directory.Root, "rsa_key.pub") : directory.HostFile(name);
        return Save(pair.PrivatePem, "private", directory.PrivateKeyFile, secret: true)
            && Save(pair.PublicPem, "public", publicFile, secret: false)
            ? 0 : 1;
    }

    /// <summary>Generates the pair and shows a dot every half second: a large key takes a while.</summary>
    /// <param name="bits">Size of the modulus.</param>
    /// <param name="progress">Where the dots go.</param>
    public static RsaKeyPair GenerateKey(int bits, TextWriter progress)
    {
        progress.WriteLine($"Generating {bits} bits keys:");
        Task<RsaKeyPair> generation = Task.Run(() => RsaKeyPair.Generate(bits));
        while (!generation.Wait(TimeSpan.FromMilliseconds(500)))
        {
            progress.Write('.');
        }

        progress.WriteLine("Done.");
        return generation.Result;
    }

    private bool Save(string pem, string kind, string defaultPath, bool secret)
    {
        string path = Ask(kind, defaultPath);
        try
        {
            DisableOldKeys(path);
            FileStreamOptions options = new() { Mode = FileMode.Append, Access = FileAccess.Write, UnixCreateMode = OwnerOnly };
            using FileStream file = new(path, options);
            if (secret)
            {
                File.SetUnixFileMode(file.SafeFileHandle, OwnerOnly);
            }

            using StreamWriter writer = new(file);
            writer.Write($"\n{pem}\n");
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or NotSupportedException or ArgumentException)
        {
            error.WriteLine($"Error opening file `{path}': {FileError.Describe(e, path)}");
            return false;
        }
    }

    private string Ask(string kind, string defaultPath)
    {
        if (input is null)
        {
            return defaultPath;
        }

        output.Write($"Please enter a file to save {kind} RSA key to [{defaultPath}]: ");
        output.Flush();
        string? answer = input.ReadLine();
        return string.IsNullOrEmpty(answer) ? defaultPath : Path.GetFullPath(answer);
    }

    /// <summary>Relabels every RSA key of the file as OLD, through a new file so that an interruption loses nothing.</summary>
    private void DisableOldKeys(string path)
    {
        if (!File.Exists(path))
        {
            return;
        }

        byte[] bytes = File.ReadAllBytes(path);
        if (!Relabel(bytes))
        {
            return;
        }

        string temporary = path + ".tmp";
        FileStreamOptions options = new() { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = OwnerOnly };
        using (FileStream file = new(temporary, options))
        {
            file.Write(bytes);
        }

        File.Move(temporary, path, overwrite: true);
        error.WriteLine("Warning: old key(s) found and disabled.");
    }

    private static bool Relabel(Span<byte> bytes)
    {
        bool changed = false;
        while (bytes.Length > 0)
        {
            int label = bytes.StartsWith("-----BEGIN RSA"u8) ? 11 : bytes.StartsWith("-----END RSA"u8) ? 9 : 0;
            if (label > 0)
            {
                "OLD"u8.CopyTo(bytes[label..]);
                changed = true;
            }

            int end = bytes.IndexOf((byte)'\n');
            bytes = end < 0 ? default : bytes[(end + 1)..];
        }

        return changed;
    }
}
