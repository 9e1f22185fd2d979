namespace FastMesh.Manual;

/// <summary>The files that are made from the program's tables, so that they cannot say anything else than the program does.</summary>
internal static class ManualFiles
{
    /// <summary>Every file with its path below the root of the sources.</summary>
    /// <param name="root">Root of the sources, where docs/manual has the texts.</param>
    /// <exception cref="InvalidDataException">A text is missing, or is of something that does not exist.</exception>
    public static IEnumerable<(string Path, string Text)> All(string root) =>
    [
        ("docs/fastmesh.8", ManualPages.Program(root)),
        ("docs/fastmesh.conf.5", ManualPages.Configuration(root)),
        ("dist/fastmesh.bash-completion", BashCompletion.Script()),
        ("dist/_fastmesh", ZshCompletion.Script()),
    ];
}
