namespace FastMesh.Cli.Config;

/// <summary>Which variables an inviter may set on the node that joins (tinc 1.1 reference, 9.7).</summary>
internal static class InvitationVariables
{
    private static readonly HashSet<string> s_safe = Words("""
        AddressFamily AutoConnect Broadcast BroadcastSubnet ClampMSS Compression ConnectTo DecrementTTL DirectOnly IndirectData KeyExpire
        LocalDiscovery MACExpire MaxConnectionBurst MaxOutputBufferSize MaxTimeout Mode MTUInfoInterval PingInterval PingTimeout ReplayWindow
        StrictSubnets Subnet TCPOnly TunnelServer UDPDiscovery UDPDiscoveryInterval UDPDiscoveryKeepaliveInterval UDPDiscoveryTimeout
        UDPInfoInterval Weight
        """);

    private static readonly HashSet<string> s_forHostFile = Words("""
        Address Cipher ClampMSS Compression Digest Ed25519PublicKey Ed25519PublicKeyFile IndirectData MACLength PMTU PMTUDiscovery Port Subnet
        TCPOnly Weight
        """);

    /// <summary>Whether the variable can do no harm to the node that joins.</summary>
    public static bool IsSafe(string name) => s_safe.Contains(name);

    /// <summary>Whether its place is the host file.</summary>
    public static bool IsForHostFile(string name) => s_forHostFile.Contains(name);

    private static HashSet<string> Words(string text)
        => new(text.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries), StringComparer.OrdinalIgnoreCase);
}
