using System.Net.Sockets;
using FastMesh.Engine.Daemon;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Wire;
using FastMesh.Native.Linux;

namespace FastMesh.Engine.Tests.Daemon;

public sealed class ResolverTests : IDisposable
{
    private static readonly Endpoint s_loopback4 = Endpoint.FromIPv4(0x7f000001, 655);
    private static readonly Endpoint s_loopback6 = Endpoint.FromIPv6(1, 655);
    private readonly LogRecorder _log = new();
    private readonly EventFd _wake = new();

    public void Dispose() => _wake.Dispose();

    [Fact]
    public void Numeric_addresses_need_no_name_server()
    {
        Assert.Equal([s_loopback4], NameLookup.LookUp(new("127.0.0.1", "655"), AddressFamilyChoice.Any));
        Assert.Equal([s_loopback6], NameLookup.LookUp(new("::1", "655"), AddressFamilyChoice.IPv6));
    }

    [Fact]
    public void An_address_to_listen_on_may_be_any()
    {
        Assert.Equal([Endpoint.FromIPv4(0, 655)], NameLookup.LookUp(new("0.0.0.0", "655"), AddressFamilyChoice.Any));
        Assert.Equal([Endpoint.FromIPv6(0, 655)], NameLookup.LookUp(new("::", "655"), AddressFamilyChoice.Any));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(256)]
    [InlineData(100_000)]
    public void A_name_that_cannot_be_one_is_not_known(int length)
    {
        var failure = Assert.Throws<SocketException>(() => NameLookup.LookUp(new(new string('a', length), "655"), AddressFamilyChoice.Any));
        Assert.Equal("Name or service not known", NameLookup.Describe(failure));
    }

    [Fact]
    public void A_name_gives_addresses_of_the_wanted_family_only()
    {
        Assert.Equal([s_loopback4], NameLookup.LookUp(new("localhost", "655"), AddressFamilyChoice.IPv4).Distinct());
        Assert.Throws<SocketException>(() => NameLookup.LookUp(new("127.0.0.1", "655"), AddressFamilyChoice.IPv6));
    }

    [Fact]
    public void An_answer_comes_with_its_ticket_and_a_wake_up()
    {
        using Resolver resolver = new(_wake, _log.Engine);
        resolver.Ask(new MeshAction.Resolve(42, new("127.0.0.1", "655"), AddressFamilyChoice.Any));
        Resolver.Answer answer = Take(resolver);
        Assert.Equal(42, answer.Ticket);
        Assert.Equal([s_loopback4], answer.Addresses);
        Assert.Empty(_log.Lines);
    }

    [Fact]
    public void A_service_that_does_not_exist_gives_no_address_and_a_line_in_the_log()
    {
        using Resolver resolver = new(_wake, _log.Engine);
        resolver.Ask(new MeshAction.Resolve(7, new("127.0.0.1", "nosuchservice"), AddressFamilyChoice.Any));
        Assert.Empty(Take(resolver).Addresses);
        Assert.Equal(["Error looking up 127.0.0.1 port nosuchservice: Servname not supported for ai_socktype"], _log.Lines);
    }

    [Fact]
    public void Many_questions_are_all_answered()
    {
        using Resolver resolver = new(_wake, _log.Engine);
        for (int ticket = 0; ticket < 50; ticket++)
            resolver.Ask(new MeshAction.Resolve(ticket, new("127.0.0.1", "655"), AddressFamilyChoice.Any));
        HashSet<int> tickets = [];
        while (tickets.Count < 50)
            tickets.Add(Take(resolver).Ticket);
        Assert.Equal(Enumerable.Range(0, 50), tickets.Order());
    }

    [Theory]
    [InlineData("655", 655)]
    [InlineData("http", 80)]
    [InlineData("www", 80)]
    [InlineData("tinc", 655)]
    public void Ports_are_numbers_names_or_aliases(string text, int expected)
    {
        string[] services = ["# services", "http\t80/tcp\twww\t# WorldWideWeb HTTP", "tinc 655/tcp", "tinc 655/udp"];
        bool found = ushort.TryParse(text, out ushort port) || ServiceNames.TryFind(services, text, out port);
        Assert.True(found);
        Assert.Equal(expected, port);
    }

    [Theory]
    [InlineData("65536")]
    [InlineData("-1")]
    [InlineData("")]
    [InlineData("80/tcp")]
    public void Other_texts_are_no_ports(string text) => Assert.False(ServiceNames.TryGetPort(text, out _));

    private Resolver.Answer Take(Resolver resolver)
    {
        Resolver.Answer answer = default;
        Assert.True(SpinWait.SpinUntil(() => resolver.TryTake(out answer), TimeSpan.FromSeconds(60)));
        return answer;
    }
}
