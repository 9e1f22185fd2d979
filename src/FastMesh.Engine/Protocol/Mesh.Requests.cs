using FastMesh.Engine.Wire;
using Microsoft.Extensions.Logging;

namespace FastMesh.Engine.Protocol;

/// <summary>Which requests there are, when they are allowed and what handles them (tinc 1.0 reference, 4.3; tinc 1.1 reference, 1.2).</summary>
public sealed partial class Mesh
{
    /// <summary>Handles one request; false ends the connection.</summary>
    private delegate bool RequestHandler(Mesh mesh, MetaConnection from, ref MetaReader fields, Instant now);

    private readonly record struct RequestKind(string Name, MetaState Allowed, RequestHandler? Handler);

    /// <summary>By number. No handler: its receipt ends the connection.</summary>
    private static readonly RequestKind[] s_requests =
    [
        new("ID", MetaState.Id, static (Mesh m, MetaConnection c, ref MetaReader f, Instant t) => m.HandleId(c, ref f, t)),
        new("METAKEY", MetaState.MetaKey, static (Mesh m, MetaConnection c, ref MetaReader f, Instant t) => m.HandleMetaKey(c, ref f, t)),
        new("CHALLENGE", MetaState.Challenge, static (Mesh m, MetaConnection c, ref MetaReader f, Instant t) => m.HandleChallenge(c, ref f, t)),
        new("CHAL_REPLY", MetaState.ChalReply, static (Mesh m, MetaConnection c, ref MetaReader f, Instant t) => m.HandleChalReply(c, ref f, t)),
        new("ACK", MetaState.Ack, static (Mesh m, MetaConnection c, ref MetaReader f, Instant t) => m.HandleAck(c, ref f, t)),
        new("STATUS", MetaState.Active, null),
        new("ERROR", MetaState.Active, null),
        new("TERMREQ", MetaState.Active, static (Mesh m, MetaConnection c, ref MetaReader _, Instant t) => m.HandleTermReq(c, t)),
        new("PING", MetaState.Active, static (Mesh m, MetaConnection c, ref MetaReader _, Instant t) => m.HandlePing(c, t)),
        new("PONG", MetaState.Active, static (Mesh m, MetaConnection c, ref MetaReader _, Instant _) => m.HandlePong(c)),
        new("ADD_SUBNET", MetaState.Active, static (Mesh m, MetaConnection c, ref MetaReader f, Instant t) => m.HandleAddSubnet(c, ref f, t)),
        new("DEL_SUBNET", MetaState.Active, static (Mesh m, MetaConnection c, ref MetaReader f, Instant t) => m.HandleDelSubnet(c, ref f, t)),
        new("ADD_EDGE", MetaState.Active, static (Mesh m, MetaConnection c, ref MetaReader f, Instant t) => m.HandleAddEdge(c, ref f, t)),
        new("DEL_EDGE", MetaState.Active, static (Mesh m, MetaConnection c, ref MetaReader f, Instant t) => m.HandleDelEdge(c, ref f, t)),
        new("KEY_CHANGED", MetaState.Active, static (Mesh m, MetaConnection c, ref MetaReader f, Instant t) => m.HandleKeyChanged(c, ref f, t)),
        new("REQ_KEY", MetaState.Active, static (Mesh m, MetaConnection c, ref MetaReader f, Instant t) => m.HandleReqKey(c, ref f, t)),
        new("ANS_KEY", MetaState.Active, static (Mesh m, MetaConnection c, ref MetaReader f, Instant t) => m.HandleAnsKey(c, ref f, t)),
        new("PACKET", MetaState.Active, static (Mesh m, MetaConnection c, ref MetaReader f, Instant _) => m.HandlePacket(c, ref f)),
        new("CONTROL", MetaState.Active, null),
        new("REQ_PUBKEY", MetaState.Active, null),
        new("ANS_PUBKEY", MetaState.Active, null),
        new("SPTPS_PACKET", MetaState.Active, static (Mesh m, MetaConnection c, ref MetaReader f, Instant _) => m.HandleSptpsPacket(c, ref f)),
        new("UDP_INFO", MetaState.Active, static (Mesh m, MetaConnection c, ref MetaReader f, Instant t) => m.HandleUdpInfo(c, ref f, t)),
        new("MTU_INFO", MetaState.Active, static (Mesh m, MetaConnection c, ref MetaReader f, Instant t) => m.HandleMtuInfo(c, ref f, t)),
    ];

    private static string NameOf(MetaRequest request) => s_requests[(int)request].Name;

    private bool HandleLine(MetaConnection from, ReadOnlySpan<byte> line, Instant now)
    {
        var fields = new MetaReader(line);
        if (!fields.TryInt(out int number) || (uint)number >= (uint)s_requests.Length)
        {
            _log.Always.BadRequest("request", from, Printable(line[..Math.Min(line.Length, ProtocolLimits.LoggedBytes)]));
            return false;
        }

        RequestKind kind = s_requests[number];
        if (kind.Handler is null || kind.Allowed != from.State)
        {
            _log.Always.OutOfTurn(kind.Name, from);
            return false;
        }

        from.HasSpoken |= from.IsActive;
        if (_log.Meta.IsEnabled(LogLevel.Debug))
            _log.Meta.GotLine(kind.Name, from, Printable(line));
        else
            _log.Protocol.Got(kind.Name, from);
        return kind.Handler(this, from, ref fields, now);
    }

    /// <summary>The peer is about to go. One that has learned our key may connect again right away.</summary>
    private bool HandleTermReq(MetaConnection from, Instant now)
    {
        _log.Connections.ClosedByPeer(from);
        Terminate(from, close: true, tarpit: false, now);
        return true;
    }

    private bool HandlePing(MetaConnection from, Instant now)
    {
        Send(from, MetaRequest.Pong, MetaWriter.Pong, now);
        return true;
    }

    private bool HandlePong(MetaConnection from)
    {
        from.Pinged = false;
        if (from.Outgoing is { Proven: false })
            RememberDialled(from);
        from.Outgoing?.Succeed();
        return true;
    }

    /// <summary><c>LEN</c>: two node ids and a datagram follow, outside of any record (tinc 1.1 reference, 6.4).</summary>
    private bool HandleSptpsPacket(MetaConnection from, ref MetaReader fields)
    {
        if (!fields.TryInt(out int length) || length is < 2 * NodeId.Length or > ProtocolLimits.MaxTcpDatagram)
            return Refuse(from, MetaRequest.SptpsPacket, "unparsable or too long");
        if (!from.IsSptps && from.Decrypting)
            return Refuse(from, MetaRequest.SptpsPacket, "not on a connection of tinc 1.0");
        from.Expect(MetaItem.Datagram, length);
        return true;
    }

    private bool HandleDatagram(MetaConnection from, ReadOnlySpan<byte> payload, Instant now)
    {
        HandleSptpsPacket(from, payload, now);
        return true;
    }

    private bool Refuse(MetaConnection from, MetaRequest request, string reason)
    {
        _log.Always.BadRequest(NameOf(request), from, reason);
        return false;
    }

    /// <summary>Whether a flooded request was handled before (tinc 1.0 reference, 4.7).</summary>
    private bool IsSeen(MetaConnection from, ref MetaReader fields, Instant now)
    {
        if (_seen.TryAdd(fields.Line, now))
            return false;
        _log.Protocol.Seen(from);
        return true;
    }

    /// <summary>TunnelServer takes statements only about itself and about the peer that makes them.</summary>
    private bool IsForeign(MetaConnection from, string owner) =>
        _settings.TunnelServer && owner != Self.Name && owner != from.Name;
}
