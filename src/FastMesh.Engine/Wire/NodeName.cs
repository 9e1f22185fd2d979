namespace FastMesh.Engine.Wire;

/// <summary>The rule for node names: ASCII letters, digits and underscores, at least one (tinc 1.0 reference, 2.3).</summary>
public static class NodeName
{
    /// <summary>Whether <paramref name="name"/> may name a node. Safe to use as a file name when true.</summary>
    public static bool IsValid(ReadOnlySpan<char> name)
    {
        foreach (char c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '_')
                return false;
        }

        return !name.IsEmpty;
    }
}
