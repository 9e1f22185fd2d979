using FastMesh.Tests;

namespace FastMesh.Engine.Tests.Daemon;

/// <summary>A directory that goes when the test ends.</summary>
internal sealed class TemporaryDirectory : IDisposable
{
    public string Path { get; } = Directory.CreateTempSubdirectory("fastmesh test ").FullName;

    public string this[string name] => System.IO.Path.Combine(Path, name);

    public void WriteScript(string name, string body)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(this[name])!);
        ExecutableFile.Write(this[name], "#!/bin/sh\n" + body + "\n");
    }

    public void Dispose() => Directory.Delete(Path, recursive: true);
}
