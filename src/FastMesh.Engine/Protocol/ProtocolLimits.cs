namespace FastMesh.Engine.Protocol;

/// <summary>Constants of the meta protocol (tinc 1.0 reference, 4.2 and chapter 9).</summary>
internal static class ProtocolLimits
{
    // Fixed by the protocol.

    /// <summary>The major protocol version, all that a 1.0 node checks.</summary>
    public const int Version = 17;

    /// <summary>Receive buffer: a whole line with its LF, or the payload of a PACKET, bytes.</summary>
    public const int ReceiveBuffer = 2176;

    /// <summary>Longest line sent, without LF, bytes.</summary>
    public const int MaxLine = ReceiveBuffer - 1;

    /// <summary>Longest record of an SPTPS connection: the longest PACKET that may be announced (tinc 1.1 reference, 1.7), bytes.</summary>
    public const int MaxRecord = short.MaxValue;

    /// <summary>
    /// Longest SPTPS_PACKET payload: two node ids and the datagram of a jumbo frame, bytes. A stock peer of the usual build sends at most 2176
    /// (tinc 1.1 reference, 6.4).
    /// </summary>
    public const int MaxTcpDatagram = (2 * Wire.NodeId.Length) + 21 + 9018;

    /// <summary>Protocol minor version of a node that speaks SPTPS: tinc 1.1pre12 and later.</summary>
    public const int SptpsMinor = 7;

    /// <summary>The minor version from which on a connection is SPTPS (tinc 1.1 reference, 1.1).</summary>
    public const int FirstSptpsMinor = 2;

    /// <summary>Bytes of an invitation's cookie.</summary>
    public const int InvitationCookie = 18;

    /// <summary>Bytes of an invitation file in one record.</summary>
    public const int InvitationChunk = 1024;

    /// <summary>Longest PACKET payload that is looked at, bytes.</summary>
    public const int MaxPacket = 1661;

    /// <summary>NID of the digest named in our METAKEY: SHA-256.</summary>
    public const int MetaDigest = 672;

    /// <summary>Contradicting requests of each kind between two periodic checks that mean a name clash.</summary>
    public const int ClashThreshold = 100;

    /// <summary>Shortest MTU probe, bytes.</summary>
    public const int MinProbe = 64;

    /// <summary>Probes per burst.</summary>
    public const int ProbesPerBurst = 3;

    /// <summary>How much larger than the known path MTU the probe for a grown path is, bytes.</summary>
    public const int GrowthProbe = 8;

    /// <summary>What compression may cost a probe reply, bytes (5.8).</summary>
    public const int CompressionSlack = 43;

    /// <summary>Least value of MTU_INFO, bytes; a lower one is fatal (tinc 1.1 reference, 7.5).</summary>
    public const int MinMtuInfo = 512;

    /// <summary>Bit number of the received sequence number whose excess forces new keys (5.1).</summary>
    public const uint RekeySequence = 1u << 30;

    /// <summary>Least time between two REQ_KEYs for a node.</summary>
    public static readonly TimeSpan KeyRequestInterval = TimeSpan.FromSeconds(10);

    /// <summary>Least age of an SPTPS session that is started anew, and how long a start waits for its answer (tinc 1.1 reference, 5.4).</summary>
    public static readonly TimeSpan SessionPatience = TimeSpan.FromSeconds(10);

    /// <summary>What each failed round adds to the reconnect back-off.</summary>
    public static readonly TimeSpan BackoffStep = TimeSpan.FromSeconds(5);

    /// <summary>Time between two looks of AutoConnect, and the random time on top of it (tinc 1.1 reference, 9.1; its length is ours).</summary>
    public static readonly TimeSpan AutoConnectInterval = TimeSpan.FromSeconds(5), AutoConnectJitter = TimeSpan.FromSeconds(1);

    /// <summary>Addresses kept of a node (tinc 1.1 reference, 9.2).</summary>
    public const int MaxKnownAddresses = 8;

    /// <summary>Period of the graph dump.</summary>
    public static readonly TimeSpan GraphDumpInterval = TimeSpan.FromSeconds(60);

    /// <summary>Weight that no edge has: over a quarter of an hour for a handshake.</summary>
    public const int NobodysWeight = 1 << 20;

    /// <summary>A connection that ends within this time may have been announced and withdrawn at once, in an order that differs from node to node.</summary>
    public static readonly TimeSpan Youth = TimeSpan.FromSeconds(60);

    /// <summary>
    /// From the last wrong statement about an own edge, and PingTimeout, until everyone is told how it is: by then what was on its way has arrived.
    /// </summary>
    public static readonly TimeSpan SettleDelay = TimeSpan.FromSeconds(1);

    /// <summary>Quiet time after a name clash; doubled each time in a row.</summary>
    public static readonly TimeSpan ClashPause = TimeSpan.FromSeconds(10);

    /// <summary>Time between two probes of a path MTU discovery that gets no answers (tinc 1.1 reference, 7.3).</summary>
    public static readonly TimeSpan MtuProbeInterval = TimeSpan.FromMilliseconds(333);

    // Ours.

    /// <summary>How long an invitee may take to make its permanent keys: RSA keys take a while on a small machine. tincd gives it 5 s.</summary>
    public static readonly TimeSpan InvitationTimeout = TimeSpan.FromSeconds(60);

    /// <summary>Lines remembered against duplicates: a mesh of 1000 nodes that all restart within PingInterval floods fewer.</summary>
    public const int MaxSeenRequests = 1 << 18;

    /// <summary>
    /// Output waiting on one connection, bytes. The state of a mesh of 10,000 nodes and as many subnets is some 3 MB; a peer
    /// that lets more pile up is not reading.
    /// </summary>
    public const int MaxPendingOutput = 32 << 20;

    /// <summary>Ethernet addresses learned on the own device: more than any switch's table, so only a flood reaches it.</summary>
    public const int MaxLearnedMacs = 1 << 16;

    /// <summary>Addresses dialled because others see a node there: more say nothing but that someone makes them up.</summary>
    public const int MaxSeenAddresses = 8;

    /// <summary>Wrongly announced own edges remembered while a name clash lasts; all of them are put right at its end.</summary>
    public const int MaxDisputedEdges = 4096;

    /// <summary>
    /// MAC checks per clock second for datagrams of unknown origin: some four milliseconds of the control thread, however many
    /// strangers send.
    /// </summary>
    public const int SearchesPerSecond = 4096;

    /// <summary>Bytes of a line that is no request which the log shows: enough to recognise a stray HTTP client or port scan.</summary>
    public const int LoggedBytes = 100;

    /// <summary>Longest answer of a proxy, bytes; an HTTP proxy may send some headers.</summary>
    public const int MaxProxyReply = 8192;

    /// <summary>Bytes of a KEX in one line: with names of 100 characters the line still fits everyone's buffer.</summary>
    public const int MaxKexPart = 1400;

    /// <summary>Longest datagram that a REQ_KEY carries, bytes: 2048 characters, where tincd cuts (tinc 1.1 reference, 5.1).</summary>
    public const int MaxCarried = 1536;

    /// <summary>Datagrams in a row that do not open before a session counts as out of step; one report a second at most.</summary>
    public const int FailuresOutOfStep = 3;

    /// <summary>Records of an SPTPS session, in either direction, after which it is begun anew: 268 million before the number runs over.</summary>
    public const long MaxSptpsRecords = 0xf000_0000;

    /// <summary>Records under one FastMesh key: far fewer than the ciphers and the sequence number could bear.</summary>
    public const ulong MaxRecords = 1ul << 36;

    /// <summary>Least time between two requests for a node's public key; tincd has none.</summary>
    public static readonly TimeSpan PublicKeyInterval = TimeSpan.FromSeconds(2);

    /// <summary>How long nothing is sent by UDP before and after the key of an SPTPS session changes: a long one-way delay.</summary>
    public static readonly TimeSpan SwitchPause = TimeSpan.FromMilliseconds(100);

    /// <summary>Output that may pile up on a connection while UDP pauses, bytes: what arrives at 300 Mbit/s meanwhile.</summary>
    public const int PauseOutput = 8 << 20;

    /// <summary>A new key under which nothing has come for so long may be one that the peer never got to use.</summary>
    public static readonly TimeSpan SessionDoubt = TimeSpan.FromSeconds(30);

    /// <summary>When at the latest a session is reported, though the way of its packets is not known, and how often that is looked at.</summary>
    public static readonly TimeSpan SessionReport = TimeSpan.FromSeconds(5), SessionReportCheck = TimeSpan.FromMilliseconds(250);

    /// <summary>How long to wait before FastMesh handshake number <paramref name="attempt"/> (from 0) is repeated: 1, 2, 4, 8, then 10 seconds.</summary>
    public static TimeSpan SessionRetry(int attempt) => TimeSpan.FromSeconds(attempt > 3 ? 10 : 1 << attempt);

    /// <summary>Longest quiet time after name clashes, so that a healed mesh comes back.</summary>
    public static readonly TimeSpan MaxClashPause = TimeSpan.FromSeconds(3600);

    /// <summary>
    /// Upper end of the random delay before redialling when a connection was lost soon after it became active. It separates
    /// two nodes that dialled each other at the same moment and each closed the other's connection as the older one.
    /// </summary>
    public static readonly TimeSpan RedialJitter = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Time between two checks of a settled path MTU while there is traffic: one probe costs some 6 kbit/s, and packets that have become too
    /// long for a path that gives no sign of it are lost for so long at most, and three times the wait below.
    /// </summary>
    public static readonly TimeSpan MtuCheckInterval = TimeSpan.FromSeconds(2);

    /// <summary>Least time an MTU check waits for its reply; otherwise three round trips.</summary>
    public static readonly TimeSpan MinCheckWait = TimeSpan.FromMilliseconds(200);

    /// <summary>Longest time an MTU check waits for its reply, as in tinc (tinc 1.1 reference, 7.3).</summary>
    public static readonly TimeSpan MaxCheckWait = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Least time between two requests while UDP is not confirmed but the node's own arrive. Its first ones often come just after ours, which it could not
    /// answer yet for want of a session, or which opened a NAT on the way.
    /// </summary>
    public static readonly TimeSpan EagerRequests = TimeSpan.FromMilliseconds(20);

    /// <summary>How long after traffic the way to a node is still tended; traffic is reported once a second.</summary>
    public static readonly TimeSpan BusyTime = TimeSpan.FromMilliseconds(2500);

    /// <summary>How long an address just confirmed stays, although datagrams of its node come from another.</summary>
    public static readonly TimeSpan AddressHold = TimeSpan.FromSeconds(1);

    /// <summary>
    /// Time between two checks whether trains arrive, while there is traffic: some 10 kbit/s, and for so long at most everything is lost when a path begins to
    /// lose them, and three times the wait above.
    /// </summary>
    public static readonly TimeSpan TrainCheckInterval = TimeSpan.FromSeconds(5);

    /// <summary>Time after which trains that got lost are tried again, by probes.</summary>
    public static readonly TimeSpan TrainRetryInterval = TimeSpan.FromSeconds(60);

    /// <summary>Time between two attempts to get a session, or an address, for a node that there is traffic for.</summary>
    public static readonly TimeSpan SessionInterval = TimeSpan.FromSeconds(1);

    /// <summary>Longest load in one direction that a speed test gets.</summary>
    public static readonly TimeSpan MaxSpeedTest = TimeSpan.FromSeconds(10);

    /// <summary>Least time between two speed tests of the same node.</summary>
    public static readonly TimeSpan SpeedTestPause = TimeSpan.FromSeconds(60);

    /// <summary>Load in both directions that all tests of other nodes together may cause in an hour, bytes: what ten seconds at 10 Gbit/s take.</summary>
    public const long SpeedTestBudget = 25L << 30;

    /// <summary>How often a speed test looks for what is due, and how often a question is repeated.</summary>
    public static readonly TimeSpan SpeedStep = TimeSpan.FromMilliseconds(100), SpeedQuestion = TimeSpan.FromMilliseconds(300);

    /// <summary>How long round trips are measured before the load, and how often the operator is told.</summary>
    public static readonly TimeSpan SpeedIdle = TimeSpan.FromSeconds(1), SpeedTold = TimeSpan.FromSeconds(1);

    /// <summary>How long a speed test waits for a session and the way to a node, for an answer, and for what is still under way after its load.</summary>
    public static readonly TimeSpan SpeedPatience = TimeSpan.FromSeconds(5), SpeedDrain = TimeSpan.FromMilliseconds(400);
}
