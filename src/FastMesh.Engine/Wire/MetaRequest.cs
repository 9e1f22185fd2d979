namespace FastMesh.Engine.Wire;

/// <summary>Requests of the meta protocol under tinc's own names and numbers (tinc 1.0 reference, 4.3).</summary>
public enum MetaRequest
{
    /// <summary><c>0 NAME VERSION</c></summary>
    Id = 0,

    /// <summary><c>1 CIPHER DIGEST MACLEN COMPRESSION HEX</c></summary>
    MetaKey = 1,

    /// <summary><c>2 HEX</c></summary>
    Challenge = 2,

    /// <summary><c>3 HEX</c></summary>
    ChalReply = 3,

    /// <summary><c>4 PORT WEIGHT OPTIONS</c></summary>
    Ack = 4,

    /// <summary>Not implemented by tinc 1.0; ends the connection.</summary>
    Status = 5,

    /// <summary>Not implemented by tinc 1.0; ends the connection.</summary>
    Error = 6,

    /// <summary>Not implemented by tinc 1.0; ends the connection.</summary>
    TermReq = 7,

    /// <summary><c>8</c></summary>
    Ping = 8,

    /// <summary><c>9</c></summary>
    Pong = 9,

    /// <summary><c>10 NONCE OWNER SUBNET</c></summary>
    AddSubnet = 10,

    /// <summary><c>11 NONCE OWNER SUBNET</c></summary>
    DelSubnet = 11,

    /// <summary><c>12 NONCE FROM TO ADDRESS PORT OPTIONS WEIGHT</c></summary>
    AddEdge = 12,

    /// <summary><c>13 NONCE FROM TO</c></summary>
    DelEdge = 13,

    /// <summary><c>14 NONCE NAME</c></summary>
    KeyChanged = 14,

    /// <summary><c>15 REQUESTER OWNER</c></summary>
    ReqKey = 15,

    /// <summary><c>16 OWNER REQUESTER KEYHEX CIPHER DIGEST MACLEN COMPRESSION [ADDRESS PORT]</c></summary>
    AnsKey = 16,

    /// <summary><c>17 LEN</c>, then LEN raw bytes</summary>
    Packet = 17,

    /// <summary><c>18 TYPE ...</c>: only on control connections (tinc 1.1 reference, 10.2).</summary>
    Control = 18,

    /// <summary>Never a request of its own: a subtype of REQ_KEY (tinc 1.1 reference, 5.1).</summary>
    ReqPubKey = 19,

    /// <summary>Never a request of its own: a subtype of REQ_KEY (tinc 1.1 reference, 5.1).</summary>
    AnsPubKey = 20,

    /// <summary><c>21 LEN</c>, then LEN raw bytes outside of any record (tinc 1.1 reference, 6.4).</summary>
    SptpsPacket = 21,

    /// <summary><c>22 FROM TO ADDRESS PORT</c> (tinc 1.1 reference, 7.5).</summary>
    UdpInfo = 22,

    /// <summary><c>23 FROM TO MTU</c> (tinc 1.1 reference, 7.5).</summary>
    MtuInfo = 23,
}
