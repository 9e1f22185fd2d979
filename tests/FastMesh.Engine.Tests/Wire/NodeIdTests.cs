using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Tests.Wire;

public sealed class NodeIdTests
{
    [Theory] // tinc 1.1 reference, 2.5
    [InlineData("alice", "408b27d3097e")]
    [InlineData("bob", "0416a26ba554")]
    [InlineData("alpha", "ba3ce58667ca")]
    [InlineData("node1", "79ae6db0921b")]
    public void Ids_of_the_reference_come_out(string name, string id)
    {
        NodeId value = NodeId.Of(name);
        Assert.Equal(id, value.ToString());
        byte[] bytes = new byte[NodeId.Length];
        value.Write(bytes);
        Assert.Equal(id, Convert.ToHexStringLower(bytes));
        Assert.Equal(value, NodeId.Read([.. bytes, 0xff]));
        Assert.False(value.IsZero);
        Assert.True(NodeId.Read(new byte[6]).IsZero);
    }
}
