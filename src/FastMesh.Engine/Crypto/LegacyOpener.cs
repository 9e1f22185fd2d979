namespace FastMesh.Engine.Crypto;

/// <summary>Opens packets from one tinc 1.0 node.</summary>
public sealed class LegacyOpener;
