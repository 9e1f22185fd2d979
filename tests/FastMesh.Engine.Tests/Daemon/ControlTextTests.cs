using FastMesh.Engine.Daemon;
using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Daemon;

/// <summary>Lines of answers to control clients.</summary>
public sealed class ControlTextTests
{
    /// <summary>Any member of the mesh may announce any text as an address, and tinc passes it on.</summary>
    [Fact]
    public void What_another_node_calls_an_address_cannot_command_the_terminal()
    {
        Graph graph = new("self");
        Edge edge = graph.SetEdge(graph.GetOrAdd("a"), graph.GetOrAdd("b"), ("\e[2Jx", "6\a55\u009b1m"), EdgeOptions.None, 7);
        Assert.Equal("18 4 a b ?[2Jx port 6?55?1m unspec port unspec 0 7", ControlText.Edge(edge));
    }
}
