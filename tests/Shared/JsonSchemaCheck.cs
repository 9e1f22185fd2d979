using System.Diagnostics;

namespace FastMesh.Tests;

/// <summary>Holds JSON output against a schema of docs/schemas, by Python's jsonschema (Debian: python3-jsonschema): a validator that knows nothing of us.</summary>
internal static class JsonSchemaCheck
{
    private const string Script = """
        import json, os, sys
        from jsonschema import Draft202012Validator, RefResolver
        path = os.path.abspath(sys.argv[1])
        with open(path) as file:
            schema = json.load(file)
        Draft202012Validator.check_schema(schema)
        validator = Draft202012Validator(schema, resolver=RefResolver("file://" + path, schema))
        for error in validator.iter_errors(json.load(sys.stdin)):
            print("/".join(map(str, error.absolute_path)) + ": " + error.message[:200])
        """;

    private static readonly Lazy<string?> s_python = new(static () => new[] { "/usr/bin/python3", "python3" }.FirstOrDefault(
        static python => Run(python, "", "-c", "import jsonschema").Code == 0));

    /// <summary>Whether there is a validator here.</summary>
    public static bool IsPossible => s_python.Value is not null;

    /// <summary>Fails the test unless the text is JSON as a schema has it, or without a validator.</summary>
    /// <param name="schema">File name in docs/schemas.</param>
    /// <param name="json">The text.</param>
    public static void Validate(string schema, string json)
    {
        Assert.True(IsPossible, "needs the package python3-jsonschema");
        string root = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(root, "FastMesh.sln")))
            root = Path.GetDirectoryName(root)!;
        (int code, string output) = Run(s_python.Value!, json, "-W", "ignore", "-c", Script, Path.Combine(root, "docs", "schemas", schema));
        Assert.True(code == 0 && output.Length == 0, $"{schema}: {output}");
    }

    private static (int Code, string Output) Run(string program, string input, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true })!;
            Task<string> output = process.StandardOutput.ReadToEndAsync(), error = process.StandardError.ReadToEndAsync();
            process.StandardInput.Write(input);
            process.StandardInput.Close();
            process.WaitForExit();
            return (process.ExitCode, output.Result + error.Result);
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception or IOException)
        {
            return (-1, e.Message);
        }
    }
}
