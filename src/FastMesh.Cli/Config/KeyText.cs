using System.Text;

namespace FastMesh.Cli.Config;

/// <summary>Takes old keys in a file out of use by commenting them out (tinc 1.1 reference, 2.2); every other line stays.</summary>
internal static class KeyText
{
    /// <summary>Blocks of RSA private keys.</summary>
    public static string DisableRsaPrivate(string text) => Disable(text, "-----BEGIN RSA PRIVATE KEY", null);

    /// <summary>Blocks and hexadecimal lines of RSA public keys.</summary>
    public static string DisableRsaPublic(string text) => Disable(text, "-----BEGIN RSA PUBLIC KEY", "PublicKey");

    /// <summary>Blocks of Ed25519 private keys.</summary>
    public static string DisableEd25519Private(string text) => Disable(text, "-----BEGIN ED25519 PRIVATE KEY", null);

    /// <summary>Blocks and lines of Ed25519 public keys.</summary>
    public static string DisableEd25519Public(string text) => Disable(text, "-----BEGIN ED25519 PUBLIC KEY", "Ed25519PublicKey");

    private static string Disable(string text, string begin, string? variable)
    {
        StringBuilder result = new();
        bool inBlock = false, inOther = false;
        foreach (ReadOnlySpan<char> line in Lines(text))
        {
            inBlock |= line.StartsWith(begin);
            inOther |= line.StartsWith("-----BEGIN") && !inBlock;
            bool named = !inOther && variable is not null && IsVariable(line, variable);
            result.Append(inBlock || named ? "#" : string.Empty).Append(line);
            if (line.StartsWith("-----END"))
                (inBlock, inOther) = (false, false);
        }

        return result.ToString();
    }

    private static bool IsVariable(ReadOnlySpan<char> line, string variable)
        => line.StartsWith(variable, StringComparison.OrdinalIgnoreCase) && line.Length > variable.Length && " \t=".Contains(line[variable.Length]);

    /// <summary>Lines with their ends.</summary>
    private static List<string> Lines(string text)
    {
        List<string> lines = [];
        for (int start = 0; start < text.Length;)
        {
            int end = text.IndexOf('\n', start);
            end = end < 0 ? text.Length : end + 1;
            lines.Add(text[start..end]);
            start = end;
        }

        return lines;
    }
}
