using System.Globalization;

namespace FastMesh.Engine.Wire;

/// <summary>
/// Composes request lines as tincd writes them (tinc 1.0 reference, 4.3; tinc 1.1 reference, 1): without LF, fields separated by one space,
/// numbers in lower case without padding, key material in upper-case hex.
/// </summary>
public static class MetaWriter
{
    /// <summary><c>0 NAME 17</c> of tinc 1.0, <c>0 NAME 17.MINOR</c> of tinc 1.1.</summary>
    /// <param name="name">Own name.</param>
    /// <param name="version">Major version.</param>
    /// <param name="minor">Minor version; 0 is left out.</param>
    public static string Id(string name, int version, int minor = 0) => minor == 0 ? Line($"0 {name} {version}") : Line($"0 {name} {version}.{minor}");

    /// <summary><c>1 CIPHER DIGEST MACLEN COMPRESSION HEX</c></summary>
    public static string MetaKey(int cipher, int digest, ReadOnlySpan<byte> block) =>
        Line($"1 {cipher} {digest} 0 0 {Convert.ToHexString(block)}");

    /// <summary><c>2 HEX</c></summary>
    public static string Challenge(ReadOnlySpan<byte> bytes) => Line($"2 {Convert.ToHexString(bytes)}");

    /// <summary><c>3 HEX</c></summary>
    public static string ChalReply(ReadOnlySpan<byte> hash) => Line($"3 {Convert.ToHexString(hash)}");

    /// <summary><c>4 PORT WEIGHT OPTIONS</c></summary>
    public static string Ack(string port, int weight, EdgeOptions options) => Line($"4 {port} {weight} {(uint)options:x}");

    /// <summary><c>4 KEY</c>: an Ed25519 public key in place of an ACK (tinc 1.1 reference, 1.3), or of an invitation (9.4).</summary>
    public static string Key(string key) => Line($"4 {key}");

    /// <summary><c>7</c></summary>
    public const string TermReq = "7";

    /// <summary><c>8</c></summary>
    public const string Ping = "8";

    /// <summary><c>9</c></summary>
    public const string Pong = "9";

    /// <summary><c>10 NONCE OWNER SUBNET</c></summary>
    public static string AddSubnet(uint nonce, string owner, Subnet subnet) => Line($"10 {nonce:x} {owner} {subnet}");

    /// <summary><c>11 NONCE OWNER SUBNET</c></summary>
    public static string DelSubnet(uint nonce, string owner, Subnet subnet) => Line($"11 {nonce:x} {owner} {subnet}");

    /// <summary><c>12 NONCE FROM TO ADDRESS PORT OPTIONS WEIGHT [LOCALADDRESS LOCALPORT]</c></summary>
    /// <param name="nonce">A random number.</param>
    /// <param name="ends">The two nodes.</param>
    /// <param name="at">Where From sees To.</param>
    /// <param name="options">Option bits.</param>
    /// <param name="weight">Weight.</param>
    /// <param name="local">From's own end (tinc 1.1 reference, 1.7); "no address" leaves both fields out, since one of them alone would be fatal.</param>
    public static string AddEdge(
        uint nonce, (string From, string To) ends, (string Address, string Port) at, EdgeOptions options, int weight, Endpoint local = default)
    {
        string line = Line($"12 {nonce:x} {ends.From} {ends.To} {at.Address} {at.Port} {(uint)options:x} {weight}");
        return local.IsSet ? Line($"{line} {local.AddressText} {local.Port}") : line;
    }

    /// <summary><c>13 NONCE FROM TO</c></summary>
    public static string DelEdge(uint nonce, string from, string to) => Line($"13 {nonce:x} {from} {to}");

    /// <summary><c>14 NONCE NAME</c></summary>
    public static string KeyChanged(uint nonce, string name) => Line($"14 {nonce:x} {name}");

    /// <summary><c>15 REQUESTER OWNER</c></summary>
    public static string ReqKey(string requester, string owner) => Line($"15 {requester} {owner}");

    /// <summary><c>15 FROM TO SUBTYPE [DATA]</c> (tinc 1.1 reference, 5.1)</summary>
    public static string ReqKey((string From, string To) ends, int subtype, string data = "") =>
        data.Length == 0 ? Line($"15 {ends.From} {ends.To} {subtype}") : Line($"15 {ends.From} {ends.To} {subtype} {data}");

    /// <summary><c>16 OWNER REQUESTER KEYHEX CIPHER DIGEST MACLEN COMPRESSION</c></summary>
    /// <param name="owner">Who will receive packets under the key.</param>
    /// <param name="requester">Who will send them.</param>
    /// <param name="key">Key and IV in hex.</param>
    /// <param name="suite">Cipher NID, digest NID, MAC length, compression.</param>
    public static string AnsKey(string owner, string requester, string key, (int Cipher, int Digest, int Mac, int Compression) suite) =>
        Line($"16 {owner} {requester} {key} {suite.Cipher} {suite.Digest} {suite.Mac} {suite.Compression}");

    /// <summary><c>17 LEN</c>; LEN raw bytes follow the LF.</summary>
    public static string Packet(int length) => Line($"17 {length}");

    /// <summary><c>21 LEN</c>; LEN raw bytes follow outside of the record.</summary>
    public static string SptpsPacket(int length) => Line($"21 {length}");

    /// <summary><c>22 FROM TO ADDRESS PORT</c></summary>
    public static string UdpInfo((string From, string To) ends, (string Address, string Port) at) =>
        Line($"22 {ends.From} {ends.To} {at.Address} {at.Port}");

    /// <summary><c>23 FROM TO MTU</c></summary>
    public static string MtuInfo((string From, string To) ends, int mtu) => Line($"23 {ends.From} {ends.To} {mtu}");

    private static string Line(FormattableString line) => line.ToString(CultureInfo.InvariantCulture);
}
