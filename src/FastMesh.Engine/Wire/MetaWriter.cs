using System.Globalization;

namespace FastMesh.Engine.Wire;

/// <summary>
/// Composes request lines as tinc 1.0.36 writes them (tinc 1.0 reference, 4.3): without LF, fields separated by one space,
/// numbers in lower case without padding, key material in upper-case hex.
/// </summary>
public static class MetaWriter
{
    /// <summary><c>0 NAME VERSION</c></summary>
    public static string Id(string name, int version) => Line($"0 {name} {version}");

    /// <summary><c>1 CIPHER DIGEST MACLEN COMPRESSION HEX</c></summary>
    public static string MetaKey(int cipher, int digest, ReadOnlySpan<byte> block) =>
        Line($"1 {cipher} {digest} 0 0 {Convert.ToHexString(block)}");

    /// <summary><c>2 HEX</c></summary>
    public static string Challenge(ReadOnlySpan<byte> bytes) => Line($"2 {Convert.ToHexString(bytes)}");

    /// <summary><c>3 HEX</c></summary>
    public static string ChalReply(ReadOnlySpan<byte> hash) => Line($"3 {Convert.ToHexString(hash)}");

    /// <summary><c>4 PORT WEIGHT OPTIONS</c></summary>
    public static string Ack(string port, int weight, EdgeOptions options) => Line($"4 {port} {weight} {(uint)options:x}");

    /// <summary><c>8</c></summary>
    public const string Ping = "8";

    /// <summary><c>9</c></summary>
    public const string Pong = "9";

    /// <summary><c>10 NONCE OWNER SUBNET</c></summary>
    public static string AddSubnet(uint nonce, string owner, Subnet subnet) => Line($"10 {nonce:x} {owner} {subnet}");

    /// <summary><c>11 NONCE OWNER SUBNET</c></summary>
    public static string DelSubnet(uint nonce, string owner, Subnet subnet) => Line($"11 {nonce:x} {owner} {subnet}");

    /// <summary><c>12 NONCE FROM TO ADDRESS PORT OPTIONS WEIGHT</c></summary>
    public static string AddEdge(
        uint nonce, (string From, string To) ends, (string Address, string Port) at, EdgeOptions options, int weight) =>
        Line($"12 {nonce:x} {ends.From} {ends.To} {at.Address} {at.Port} {(uint)options:x} {weight}");

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

    /// <summary><c>22 FROM TO ADDRESS PORT</c></summary>
    public static string UdpInfo((string From, string To) ends, (string Address, string Port) at) =>
        Line($"22 {ends.From} {ends.To} {at.Address} {at.Port}");

    /// <summary><c>23 FROM TO MTU</c></summary>
    public static string MtuInfo((string From, string To) ends, int mtu) => Line($"23 {ends.From} {ends.To} {mtu}");

    private static string Line(FormattableString line) => line.ToString(CultureInfo.InvariantCulture);
}
