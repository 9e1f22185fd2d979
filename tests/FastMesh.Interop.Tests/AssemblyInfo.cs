using System.Runtime.Versioning;

[assembly: SupportedOSPlatform("linux")]

// Every test drives real daemons in namespaces of its own and waits most of the time; a few at a time share two cores without being in each other's way.
[assembly: CollectionBehavior(MaxParallelThreads = 4)]
