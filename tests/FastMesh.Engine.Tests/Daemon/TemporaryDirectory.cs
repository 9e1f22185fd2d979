namespace FastMesh.Engine.Tests.Daemon;

/// <summary>A directory that goes when the test ends.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("fastmesh test ").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void WriteScript(string name, string body)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(this[name])!);
        File.WriteAllText(this[name], "#!/bin/sh\n" + body + "\n");
        File.SetUnixFileMode(this[name], UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
