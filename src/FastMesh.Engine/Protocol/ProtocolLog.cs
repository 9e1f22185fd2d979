using FastMesh.Engine.Wire;
using Microsoft.Extensions.Logging;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// Messages of the control plane, in tinc's words where administrators look for them (tinc 1.0 reference, 1.8). The comment
/// before a group names the logger of <see cref="EngineLog"/> its messages belong to. "Connection" and "Node" arguments print
/// as <c>NAME (ADDRESS port PORT)</c>.
/// </summary>
internal static partial class ProtocolLog
{
    // Always
    [LoggerMessage(100, LogLevel.Error, "Possible intruder {Connection}: {Reason}")]
    public static partial void PossibleIntruder(this ILogger log, MetaConnection connection, string reason);

    [LoggerMessage(101, LogLevel.Error, "Peer {Address} had unknown identity ({Name})")]
    public static partial void UnknownIdentity(this ILogger log, Endpoint address, string name);

    [LoggerMessage(102, LogLevel.Error, "Peer {Connection} uses incompatible version {Version}")]
    public static partial void IncompatibleVersion(this ILogger log, MetaConnection connection, int version);

    [LoggerMessage(103, LogLevel.Error, "Peer {Address} is {Name} instead of {Wanted}")]
    public static partial void WrongName(this ILogger log, Endpoint address, string name, string? wanted);

    [LoggerMessage(104, LogLevel.Error, "Bad {Request} from {Connection}: {Reason}")]
    public static partial void BadRequest(this ILogger log, string request, MetaConnection connection, string reason);

    [LoggerMessage(105, LogLevel.Error, "Unauthorized request {Request} from {Connection}")]
    public static partial void OutOfTurn(this ILogger log, string request, MetaConnection connection);

    [LoggerMessage(106, LogLevel.Warning,
        "Possible node with same Name as us! Quiet for {Seconds} seconds. Check that every node has its own Name and key")]
    public static partial void NameClash(this ILogger log, long seconds);

    [LoggerMessage(107, LogLevel.Error, "No usable public key of {Node} in its host file")]
    public static partial void NoPublicKey(this ILogger log, string node);

    [LoggerMessage(108, LogLevel.Error, "Peer {Connection} speaks protocol 17.0, which LegacyProtocol = no refuses")]
    public static partial void LegacyRefused(this ILogger log, MetaConnection connection);

    [LoggerMessage(109, LogLevel.Warning, "Too many Ethernet addresses on the own device, not learning {Address}")]
    public static partial void TooManyAddresses(this ILogger log, MacAddress address);

    [LoggerMessage(110, LogLevel.Error,
        "Peer {Connection} tries to roll back to protocol 17.0 although its host file has an Ed25519PublicKey: refused")]
    public static partial void Rollback(this ILogger log, MetaConnection connection);

    [LoggerMessage(111, LogLevel.Error,
        "Cannot authenticate {Connection}: its Ed25519 key is not known here. Put its Ed25519PublicKey into hosts/{Name}, or let both host files have RSA keys")]
    public static partial void KeyUnknown(this ILogger log, MetaConnection connection, string name);

    [LoggerMessage(112, LogLevel.Error,
        "{Connection} does not know our Ed25519 key. Put our Ed25519PublicKey into its copy of hosts/{Name}; with RSA keys on both sides it learns it by itself")]
    public static partial void KeyUnknownThere(this ILogger log, MetaConnection connection, string name);

    [LoggerMessage(113, LogLevel.Error, "Bad record from {Connection}: not authentic, or against the rules of SPTPS")]
    public static partial void BadRecord(this ILogger log, MetaConnection connection);

    [LoggerMessage(114, LogLevel.Error, "Refusing invitation of {Connection}: {Reason}")]
    public static partial void InvitationRefused(this ILogger log, MetaConnection connection, string reason);

    [LoggerMessage(115, LogLevel.Error, "Peer {Connection} speaks protocol 17.0, for which this node has no RSA key")]
    public static partial void NoOwnRsaKey(this ILogger log, MetaConnection connection);

    // Connections
    [LoggerMessage(120, LogLevel.Information, "Trying to connect to {Connection}")]
    public static partial void Connecting(this ILogger log, MetaConnection connection);

    [LoggerMessage(121, LogLevel.Information, "Connected to {Connection}")]
    public static partial void Connected(this ILogger log, MetaConnection connection);

    [LoggerMessage(122, LogLevel.Information, "Connection from {Address}")]
    public static partial void Accepted(this ILogger log, Endpoint address);

    [LoggerMessage(123, LogLevel.Information, "Connection with {Connection} activated")]
    public static partial void Activated(this ILogger log, MetaConnection connection);

    [LoggerMessage(124, LogLevel.Information, "Connection closed by {Connection}")]
    public static partial void ClosedByPeer(this ILogger log, MetaConnection connection);

    [LoggerMessage(125, LogLevel.Information, "Closing connection with {Connection}")]
    public static partial void Closing(this ILogger log, MetaConnection connection);

    [LoggerMessage(126, LogLevel.Information, "Closing connection with {Node} (MYSELF)")]
    public static partial void ClosingSelf(this ILogger log, string node);

    [LoggerMessage(127, LogLevel.Error, "Could not set up a meta connection to {Node}")]
    public static partial void CouldNotConnect(this ILogger log, string node);

    [LoggerMessage(128, LogLevel.Information, "Trying to re-establish outgoing connection in {Seconds} seconds")]
    public static partial void Retrying(this ILogger log, long seconds);

    [LoggerMessage(129, LogLevel.Information, "Already connected to {Node}")]
    public static partial void AlreadyConnected(this ILogger log, string node);

    [LoggerMessage(130, LogLevel.Information, "Established a second connection with {Connection}, closing old connection")]
    public static partial void SecondConnection(this ILogger log, MetaConnection connection);

    [LoggerMessage(131, LogLevel.Warning, "Timeout from {Connection} during authentication")]
    public static partial void AuthenticationTimeout(this ILogger log, MetaConnection connection);

    [LoggerMessage(132, LogLevel.Warning, "Timeout while connecting to {Connection}")]
    public static partial void ConnectTimeout(this ILogger log, MetaConnection connection);

    [LoggerMessage(133, LogLevel.Information, "{Connection} didn't respond to PING in {Seconds} seconds")]
    public static partial void PingTimeout(this ILogger log, MetaConnection connection, long seconds);

    [LoggerMessage(134, LogLevel.Warning, "Too many connections per second, {Address} is put into the tarpit")]
    public static partial void TooManyAccepts(this ILogger log, Endpoint address);

    [LoggerMessage(135, LogLevel.Error, "Connection with {Connection} failed: {Detail}")]
    public static partial void ConnectionFailed(this ILogger log, MetaConnection connection, string detail);

    [LoggerMessage(136, LogLevel.Error, "{Connection} has taken no output for {Seconds} seconds")]
    public static partial void OutputStuck(this ILogger log, MetaConnection connection, long seconds);

    [LoggerMessage(137, LogLevel.Error, "No Address known for {Node}")]
    public static partial void NoAddress(this ILogger log, string node);

    [LoggerMessage(138, LogLevel.Error, "Error looking up {Host} for {Node}")]
    public static partial void LookupFailed(this ILogger log, HostPort host, string node);

    [LoggerMessage(139, LogLevel.Error, "The proxy refused the connection to {Connection} or does not speak its protocol")]
    public static partial void ProxyFailed(this ILogger log, MetaConnection connection);

    [LoggerMessage(140, LogLevel.Error, "The proxy's protocol cannot express {Host}")]
    public static partial void ProxyCannot(this ILogger log, HostPort host);

    [LoggerMessage(141, LogLevel.Information, "The connection with {Node} ends: {Reason}")]
    public static partial void HostFileChanged(this ILogger log, string node, string reason);

    [LoggerMessage(144, LogLevel.Information, "Invitation for {Guest} sent to {Connection}")]
    public static partial void InvitationSent(this ILogger log, string guest, MetaConnection connection);

    [LoggerMessage(145, LogLevel.Information, "{Node} has accepted its invitation, from {Address}")]
    public static partial void InvitationAccepted(this ILogger log, string node, Endpoint address);

    [LoggerMessage(146, LogLevel.Warning, "Nothing was done for {Seconds} seconds, the machine seems to have slept: connecting anew")]
    public static partial void Awake(this ILogger log, long seconds);

    [LoggerMessage(147, LogLevel.Information, "Autoconnecting to {Node}")]
    public static partial void AutoConnect(this ILogger log, string node);

    [LoggerMessage(148, LogLevel.Information, "Autodisconnecting from {Node}")]
    public static partial void AutoDisconnect(this ILogger log, string node);

    [LoggerMessage(149, LogLevel.Information, "Cancelled outgoing connection to {Node}")]
    public static partial void AutoCancel(this ILogger log, string node);

    // Status
    [LoggerMessage(160, LogLevel.Information, "Expiring symmetric keys")]
    public static partial void ExpiringKeys(this ILogger log);

    [LoggerMessage(161, LogLevel.Warning, "Got {Request} from {Connection} about {About}, which is not known or not reachable")]
    public static partial void UnknownNode(this ILogger log, string request, MetaConnection connection, string about);

    [LoggerMessage(162, LogLevel.Warning, "Got {Request} from {Connection} for ourself which does not match what we have")]
    public static partial void Contradiction(this ILogger log, string request, MetaConnection connection);

    [LoggerMessage(163, LogLevel.Warning, "Ignoring unauthorized {Request} from {Connection}: {Text}")]
    public static partial void Unauthorized(this ILogger log, string request, MetaConnection connection, string text);

    [LoggerMessage(164, LogLevel.Error, "Got bad ANS_KEY of {Owner} from {Connection}: {Reason}")]
    public static partial void BadKey(this ILogger log, string owner, MetaConnection connection, string reason);

    [LoggerMessage(165, LogLevel.Warning, "A line of {Length} bytes to {Connection} cannot be sent")]
    public static partial void CannotSend(this ILogger log, int length, MetaConnection connection);

    [LoggerMessage(166, LogLevel.Information, "No answer from {Node} by UDP, exchanging keys again")]
    public static partial void RenewingKeys(this ILogger log, string node);

    [LoggerMessage(167, LogLevel.Warning, "Ignoring {Received} of {Node}, which is of no use")]
    public static partial void SessionMessageIgnored(this ILogger log, string received, string node);

    // Sessions: 210 to 211 Always, then Connections
    [LoggerMessage(210, LogLevel.Error, "Refusing a session with {Node}: its Ed25519 key is {Key}, but {Reason}")]
    public static partial void KeyRefused(this ILogger log, string node, string key, string reason);

    [LoggerMessage(211, LogLevel.Warning,
        "{Node} has gone back to tinc 1.0: its packets are less well protected than before. If that is not your doing, ask why; if it is to stay so, remove {File}")]
    public static partial void BackToLegacy(this ILogger log, string node, string file);

    [LoggerMessage(212, LogLevel.Information, "Learned the Ed25519 key of {Node}: {Key}")]
    public static partial void LearnedKey(this ILogger log, string node, string key);

    [LoggerMessage(213, LogLevel.Information, "Session with {Node} established: {Protocol}, {Suite}, {Way}")]
    public static partial void SessionEstablished(this ILogger log, string node, string protocol, string suite, string way);

    [LoggerMessage(214, LogLevel.Information, "{Node} makes a speed test with this node")]
    public static partial void SpeedTestBy(this ILogger log, string node);

    // Protocol, and Meta with the line
    [LoggerMessage(180, LogLevel.Debug, "Sending {Request} to {Connection}")]
    public static partial void Sending(this ILogger log, string request, MetaConnection connection);

    [LoggerMessage(181, LogLevel.Debug, "Sending {Request} to {Connection}: {Line}")]
    public static partial void SendingLine(this ILogger log, string request, MetaConnection connection, string line);

    [LoggerMessage(182, LogLevel.Debug, "Sending {Request} to everyone (BROADCAST)")]
    public static partial void Broadcasting(this ILogger log, string request);

    [LoggerMessage(183, LogLevel.Debug, "Sending {Request} to everyone (BROADCAST): {Line}")]
    public static partial void BroadcastingLine(this ILogger log, string request, string line);

    [LoggerMessage(184, LogLevel.Debug, "Got {Request} from {Connection}")]
    public static partial void Got(this ILogger log, string request, MetaConnection connection);

    [LoggerMessage(185, LogLevel.Debug, "Got {Request} from {Connection}: {Line}")]
    public static partial void GotLine(this ILogger log, string request, MetaConnection connection, string line);

    [LoggerMessage(186, LogLevel.Debug, "Forwarding {Request} from {Connection}")]
    public static partial void Forwarding(this ILogger log, string request, MetaConnection connection);

    [LoggerMessage(187, LogLevel.Debug, "Forwarding {Request} from {Connection}: {Line}")]
    public static partial void ForwardingLine(this ILogger log, string request, MetaConnection connection, string line);

    [LoggerMessage(188, LogLevel.Debug, "UDP address of {Node} set to {Address}")]
    public static partial void AddressSet(this ILogger log, string node, Endpoint address);

    [LoggerMessage(189, LogLevel.Debug, "UDP address of {Node} cleared")]
    public static partial void AddressCleared(this ILogger log, string node);

    [LoggerMessage(190, LogLevel.Warning, "Received UDP packet from unknown source {Address}")]
    public static partial void UnknownSource(this ILogger log, Endpoint address);

    [LoggerMessage(191, LogLevel.Debug, "Purging unreachable nodes")]
    public static partial void Purging(this ILogger log);

    [LoggerMessage(192, LogLevel.Debug, "Already seen request from {Connection}")]
    public static partial void Seen(this ILogger log, MetaConnection connection);

    [LoggerMessage(193, LogLevel.Warning, "Datagrams sent to {Node} ({Address}) several at once get lost, single ones arrive; sending them one by one")]
    public static partial void TrainsLost(this ILogger log, string node, Endpoint address);

    [LoggerMessage(194, LogLevel.Information, "Datagrams sent to {Node} ({Address}) several at once arrive again")]
    public static partial void TrainsArrive(this ILogger log, string node, Endpoint address);

    // Traffic
    [LoggerMessage(200, LogLevel.Debug, "Node {Node} ({Address}) became reachable")]
    public static partial void BecameReachable(this ILogger log, string node, Endpoint address);

    [LoggerMessage(201, LogLevel.Debug, "Node {Node} ({Address}) became unreachable")]
    public static partial void BecameUnreachable(this ILogger log, string node, Endpoint address);

    [LoggerMessage(202, LogLevel.Information, "Fixing MTU of {Node} ({Address}) to {Mtu} after {Count} probes")]
    public static partial void FixingMtu(this ILogger log, string node, Endpoint address, int mtu, int count);

    [LoggerMessage(203, LogLevel.Debug, "Sending MTU probe length {Length} to {Node} ({Address})")]
    public static partial void SendingProbe(this ILogger log, int length, string node, Endpoint address);

    [LoggerMessage(204, LogLevel.Debug, "Got MTU probe length {Length} from {Node} ({Address})")]
    public static partial void GotProbe(this ILogger log, int length, string node, Endpoint address);

    [LoggerMessage(205, LogLevel.Debug, "Got MTU probe reply, length {Length}, from {Node} ({Address})")]
    public static partial void GotProbeReply(this ILogger log, int length, string node, Endpoint address);
}
