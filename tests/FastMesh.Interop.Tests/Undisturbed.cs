namespace FastMesh.Interop.Tests;

/// <summary>Classes that count lost packets while daemons come and go: they get the machine for themselves.</summary>
[CollectionDefinition(nameof(Undisturbed), DisableParallelization = true)]
public sealed class Undisturbed;
