using System.Text.Json;
using System.Text.Json.Serialization;
using FastMesh.Engine.Daemon.Status;
using FastMesh.Engine.Protocol;

namespace FastMesh.Engine.Daemon;

/// <summary>What a reload would do, or did.</summary>
public enum ReloadResult
{
    /// <summary>There is nothing to change.</summary>
    Nothing,

    /// <summary>There is something to change.</summary>
    Changes,

    /// <summary>The changes are in force.</summary>
    Applied,

    /// <summary>The files are broken; everything stays as it was.</summary>
    Refused,
}

/// <summary>Everything that a reload would change, or did change: the answer to the control requests 120 and 121.</summary>
public sealed record ReloadPlan
{
    /// <summary>The daemon's node name.</summary>
    public required string Node { get; init; }

    /// <summary>What would be done, or was.</summary>
    public required ReloadResult Result { get; init; }

    /// <summary>What is broken, with file and line.</summary>
    public IReadOnlyList<string> Errors { get; init; } = [];

    /// <summary>What is doubtful, with file and line.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Values that differ.</summary>
    public IReadOnlyList<VariableChange> Variables { get; init; } = [];

    /// <summary>Host files that came, went, or hold another key.</summary>
    public IReadOnlyList<HostChange> Hosts { get; init; } = [];

    /// <summary>Meta connections that are touched.</summary>
    public IReadOnlyList<ConnectionChange> Connections { get; init; } = [];

    /// <summary>Subnets that are announced or withdrawn.</summary>
    public IReadOnlyList<SubnetChange> Subnets { get; init; } = [];

    /// <summary>What a reading means for a mesh.</summary>
    /// <param name="node">The daemon's node name.</param>
    /// <param name="reading">The files.</param>
    /// <param name="changes">What they mean for the mesh.</param>
    internal static ReloadPlan Of(string node, ConfigurationReading reading, MeshChanges changes) => new()
    {
        Node = node,
        Result = reading.Options is null ? ReloadResult.Refused
            : reading.Variables.Count + reading.Hosts.Count + changes.Connections.Count + changes.Subnets.Count == 0 ? ReloadResult.Nothing
            : ReloadResult.Changes,
        Errors = reading.Errors,
        Warnings = reading.Warnings,
        Variables = reading.Variables,
        Hosts = reading.Hosts,
        Connections = changes.Connections,
        Subnets = changes.Subnets,
    };

    /// <summary>One line of JSON (docs/schemas/reload.json).</summary>
    public string ToJson() => JsonSerializer.Serialize(this, ReloadJson.Default.ReloadPlan);
}

/// <summary>The JSON form of <see cref="ReloadPlan"/>.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    Converters =
    [
        typeof(CamelCaseEnumConverter<ReloadResult>), typeof(CamelCaseEnumConverter<ChangeEffect>),
        typeof(CamelCaseEnumConverter<HostFileChange>), typeof(CamelCaseEnumConverter<ConnectionStep>),
    ])]
[JsonSerializable(typeof(ReloadPlan))]
public sealed partial class ReloadJson : JsonSerializerContext;
