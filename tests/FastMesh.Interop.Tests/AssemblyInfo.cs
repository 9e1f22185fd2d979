using System.Runtime.Versioning;

[assembly: SupportedOSPlatform("linux")]

// Every test drives real daemons and measures time on few cores: one at a time.
[assembly: CollectionBehavior(DisableTestParallelization = true)]
