namespace FastMesh.Engine.Crypto;

/// <summary>Seals packets to one tinc 1.0 node.</summary>
public sealed class LegacySealer;
