using System.Net;
using System.Net.Sockets;
using System.Text;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Protocol;

namespace FastMesh.Cli.Tests.Commands;

/// <summary>Joins that fail: one line says why, and nothing is left. Those that succeed need two daemons and are in the interop suite.</summary>
public sealed class JoinCommandTests : IDisposable
{
    private readonly CommandFixture _fixture = new();

    public void Dispose() => _fixture.Dispose();

    [Theory]
    [InlineData("nonsense")]
    [InlineData("127.0.0.1:655/short")]
    public void A_wrong_url_is_refused_before_anything_happens(string url)
    {
        Assert.Equal(1, _fixture.Run("join", url));
        Assert.Equal(["Invalid invitation URL."], _fixture.Messages);
        Assert.False(Directory.Exists(_fixture.Net["net"]));
    }

    [Theory]
    [InlineData("tinc.conf")]
    [InlineData("rsa_key.priv")]
    [InlineData("hosts/x")]
    public void A_directory_that_is_in_use_is_left_alone(string file)
    {
        _fixture.Write(file, "x");
        Assert.Equal(1, _fixture.Run("join", Url(1)));
        Assert.Equal([$"net/{file} already exists!"], _fixture.Messages);
        Assert.Single(_fixture.Files());
    }

    [Fact]
    public void Nobody_there_is_one_line_and_leaves_nothing()
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        listener.Stop();
        Assert.Equal(1, _fixture.Run("join", Url(port)));
        Assert.Equal([$"Could not join: Could not connect to 127.0.0.1 port {port}: Connection refused"], Essential());
        Assert.False(Directory.Exists(_fixture.Net["net"]));
    }

    [Theory]
    [InlineData("HTTP/1.1 400 Bad Request\r\n\r\n", "does not answer as a node of tinc")]
    [InlineData("0 a-b 17.7\n", "does not answer as a node of tinc")]
    [InlineData("0 alpha 18.7\n", "does not answer as a node of tinc")]
    [InlineData("0 alpha 17.7\n4 DE6B/OvzQ4bHw1NGnvEwZeG5WDzml2wXdwthkJRVxgK\n", "has another key than the invitation says; check the URL")]
    [InlineData("0 alpha 17.7\n4 x\n", "has another key than the invitation says; check the URL")]
    [InlineData("", "does not answer: the invitation may have been used or have expired")]
    public async Task A_server_that_is_not_the_inviter_is_left_at_once(string answer, string message)
    {
        using TcpListener listener = new(IPAddress.Loopback, 0);
        listener.Start();
        int port = ((IPEndPoint)listener.LocalEndpoint).Port;
        Task server = Task.Run(() =>
        {
            using TcpClient client = listener.AcceptTcpClient();
            NetworkStream stream = client.GetStream();
            byte[] id = new byte[3];
            stream.ReadExactly(id);
            stream.Write(Encoding.ASCII.GetBytes(answer));
            client.Client.Shutdown(SocketShutdown.Send);
            stream.CopyTo(Stream.Null);
        });
        Assert.Equal(1, _fixture.Run("join", Url(port)));
        await server;
        Assert.Equal([$"Could not join: 127.0.0.1 port {port} {message}"], Essential());
        Assert.False(Directory.Exists(_fixture.Net["net"]));
    }

    /// <summary>A URL whose key is alice's of the tinc 1.1 reference, chapter 12.</summary>
    private static string Url(int port)
    {
        Ed25519PublicKey key = Ed25519Identity.FromSeed([.. Enumerable.Range(0, 32).Select(i => (byte)i)]).Public;
        return new InvitationUrl(new HostPort("127.0.0.1", $"{port}"), InvitationUrl.HashOf(key), new byte[18]).ToString();
    }

    private IEnumerable<string> Essential() => _fixture.Messages.Where(m => !m.StartsWith("Port", StringComparison.Ordinal));
}
