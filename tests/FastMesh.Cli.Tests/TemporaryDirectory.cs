using System.Text;

namespace FastMesh.Cli.Tests;

/// <summary>A directory for one test, removed at its end.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Root { get; } = Directory.CreateTempSubdirectory("fastmesh-test-").FullName;

    /// <summary>The path of something in it.</summary>
    public string this[string name] => Path.Combine(Root, name);

    /// <summary>Writes a file, making directories as needed, and returns its path.</summary>
    public string Write(string name, string text, UnixFileMode mode = (UnixFileMode)0b110_100_100)
    {
        string path = this[name];
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, text, new UTF8Encoding(false));
        File.SetUnixFileMode(path, mode);
        return path;
    }

    public string Read(string name) => File.ReadAllText(this[name]);

    public void Dispose() => Directory.Delete(Root, recursive: true);
}
