namespace FastMesh.Engine.Crypto;

/// <summary>This node's RSA key pair.</summary>
public sealed class RsaIdentity;

/// <summary>Another node's RSA public key.</summary>
public sealed class RsaPublicIdentity;
