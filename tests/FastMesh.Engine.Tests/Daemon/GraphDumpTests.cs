using FastMesh.Engine.Daemon;

namespace FastMesh.Engine.Tests.Daemon;

public sealed class GraphDumpTests : IDisposable
{
    private const string Text = "digraph {\n\t\"alpha\" [label = \"alpha\"];\n}\n";
    private readonly TemporaryDirectory _directory = new();
    private readonly LogRecorder _log = new();

    public void Dispose() => _directory.Dispose();

    [Fact]
    public async Task A_file_is_replaced_as_a_whole()
    {
        File.WriteAllText(_directory["graph"], "an older and longer graph that must not shine through at the end of the new one");
        await new GraphDump(_log.Engine).Write(_directory["graph"], Text);
        Assert.Equal(Text, File.ReadAllText(_directory["graph"]));
        Assert.Equal([_directory["graph"]], Directory.GetFiles(_directory.Path));
    }

    [Fact]
    public async Task A_command_after_a_pipe_character_reads_the_graph()
    {
        await new GraphDump(_log.Engine).Write($"|cat > '{_directory["graph"]}'", Text);
        Assert.Equal(Text, File.ReadAllText(_directory["graph"]));
    }

    [Fact]
    public async Task A_failure_is_logged_and_no_more()
    {
        await new GraphDump(_log.Engine).Write(_directory["no/such/directory"], Text);
        Assert.StartsWith($"Could not write the graph to {_directory["no/such/directory"]}: ", Assert.Single(_log.Lines), StringComparison.Ordinal);
    }
}
