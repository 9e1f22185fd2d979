using System.Text.Json;
using System.Text.Json.Serialization;
using FastMesh.Engine.Protocol;
using FastMesh.Engine.Routing;

namespace FastMesh.Engine.Daemon.Status;

/// <summary>The JSON form of <see cref="DaemonStatus"/>: camelCase names, enumerations by name, times in UTC. Made by the compiler, without reflection.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.Never,
    Converters =
    [
        typeof(CamelCaseEnumConverter<NodeProtocol>), typeof(CamelCaseEnumConverter<PathKind>), typeof(CamelCaseEnumConverter<PathReason>),
        typeof(CamelCaseEnumConverter<MtuState>),
    ])]
[JsonSerializable(typeof(DaemonStatus))]
public sealed partial class StatusJson : JsonSerializerContext;

/// <summary>Writes and reads enumerations by their names in camelCase.</summary>
/// <typeparam name="T">The enumeration.</typeparam>
public sealed class CamelCaseEnumConverter<T>() : JsonStringEnumConverter<T>(JsonNamingPolicy.CamelCase, allowIntegerValues: false)
    where T : struct, Enum;
