using System.Text;
using FastMesh.Engine.Crypto;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// Connections of those who redeem an invitation, the inviter's side (tinc 1.1 reference, 9.4):
/// <code>
/// invitee                                inviter
/// 0 ?KEY 17.1                       ->
///                                   &lt;-  0 NAME 17.7, 4 INVITATIONKEY
///        SPTPS handshake: the invitee's throw-away key and the invitation key
/// type 0: cookie                    ->
///                                   &lt;-  type 0: the invitation file, in parts; type 1: empty
/// type 1: permanent public key      ->
///                                   &lt;-  type 2: empty
/// </code>
/// Whoever does otherwise meets silence.
/// </summary>
public sealed partial class Mesh
{
    private const byte CookieRecord = 0, FileRecord = 0, KeyRecord = 1, FileEndRecord = 1, AcceptedRecord = 2;

    private static readonly byte[] s_invitationLabel = Encoding.ASCII.GetBytes("tinc invitation");

    private bool HandleInvitee(MetaConnection from, ReadOnlySpan<char> keyText, Instant now)
    {
        if (_settings.Invitations?.Key is not { } key)
            return RefuseInvitation(from, "there are no invitations");
        if (!_settings.SpeaksSptps) // the guest will have an Ed25519 key only
            return RefuseInvitation(from, "this node needs an Ed25519 key of its own first");
        if (!Ed25519PublicKey.TryParse(keyText, out Ed25519PublicKey? guest))
            return RefuseInvitation(from, "bad key");
        from.State = MetaState.Invitation;
        from.OwnMinor = ProtocolLimits.SptpsMinor;
        SendId(from, now);
        Send(from, MetaRequest.Ack, MetaWriter.Key(key.Public.ToString()), now);
        StartSptps(from, new SptpsHandshake(key, guest, initiator: false, s_invitationLabel, _random), now);
        return true;
    }

    private bool HandleInvitationRecord(MetaConnection from, byte type, ReadOnlySpan<byte> data, Instant now) => (type, from.Invited) switch
    {
        (CookieRecord, null) => Redeem(from, data, now),
        (KeyRecord, { } name) => Accept(from, name, data, now),
        _ => RefuseInvitation(from, "unexpected record"),
    };

    private bool Redeem(MetaConnection from, ReadOnlySpan<byte> cookie, Instant now)
    {
        if (cookie.Length != ProtocolLimits.InvitationCookie)
            return RefuseInvitation(from, "bad cookie");
        if (!_settings.Invitations!.TryRedeem(cookie, out string? name, out byte[]? file))
            return RefuseInvitation(from, "no such invitation");

        (from.Invited, from.Started) = (name, now); // the timeout begins anew: the invitee makes its keys now
        for (int at = 0; at < file.Length; at += ProtocolLimits.InvitationChunk)
            PutRecord(from, FileRecord, file.AsSpan(at, Math.Min(ProtocolLimits.InvitationChunk, file.Length - at)), now);
        PutRecord(from, FileEndRecord, default, now);
        _log.Connections.InvitationSent(name, from);
        return true;
    }

    private bool Accept(MetaConnection from, string name, ReadOnlySpan<byte> data, Instant now)
    {
        if (data.Length > ProtocolLimits.ReceiveBuffer || !Ed25519PublicKey.TryParse(Encoding.Latin1.GetString(data), out Ed25519PublicKey? key)
            || !_settings.Invitations!.TryAccept(name, key.ToString()))
            return RefuseInvitation(from, "its key was not accepted");

        if (_settings.AutoConnect)
            _hostFiles[name] = false; // a reload would find the same
        _actions.Enqueue(new MeshAction.RunScript("invitation-accepted", [new("NODE", name), new("REMOTEADDRESS", from.Remote.AddressText)]));
        PutRecord(from, AcceptedRecord, default, now);
        _log.Connections.InvitationAccepted(name, from.Remote);
        from.State = MetaState.Ending;
        return true;
    }

    private bool RefuseInvitation(MetaConnection from, string reason)
    {
        _log.Always.InvitationRefused(from, reason);
        return false;
    }

    private void PutRecord(MetaConnection to, byte type, ReadOnlySpan<byte> data, Instant now)
    {
        bool wasEmpty = to.PendingLength == 0;
        if (!to.TrySendRecord(type, data, now))
            _log.Status.CannotSend(data.Length, to);
        else if (wasEmpty)
            _actions.Enqueue(new MeshAction.Send(to.Id));
    }
}
