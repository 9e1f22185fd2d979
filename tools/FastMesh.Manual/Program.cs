using FastMesh.Manual;

// make docs: writes the manual pages and completions into the directory given, the root of the sources.
string root = args.Length == 1 ? args[0] : throw new ArgumentException("usage: FastMesh.Manual ROOT");
foreach ((string path, string text) in ManualFiles.All(root))
    File.WriteAllText(Path.Combine(root, path), text);
