using System.Globalization;
using FastMesh.Engine.Protocol;

namespace FastMesh.Engine.Daemon;

/// <summary>Reloads: everything is read and checked first, and then changed, or nothing is.</summary>
internal sealed partial class ControlLoop
{
    /// <summary>What a reload would change now. Changes nothing.</summary>
    private ReloadPlan PlanReload() => PlanReload(Reread());

    private ReloadPlan PlanReload(ConfigurationReading reading) => ReloadPlan.Of(
        _options.Mesh.Name, reading, reading.Options is { } options ? _mesh.PlanReload(options.Mesh) : MeshChanges.None);

    private ReloadPlan ReloadForClient()
    {
        _log.Always.GotControlRequest("RELOAD");
        return Reload();
    }

    /// <summary>
    /// HUP, and what control clients ask for. Files that are broken change nothing, unlike in tincd, which HUP ends then
    /// (tinc 1.0 reference, 1.6).
    /// </summary>
    private ReloadPlan Reload()
    {
        _manager.NotifyReloading(MonotonicClock.Microseconds);
        _console.ReopenLog();
        try
        {
            return ReadAndApply();
        }
        finally
        {
            _manager.NotifyReloaded();
        }
    }

    private ReloadPlan ReadAndApply()
    {
        ConfigurationReading reading = Reread();
        ReloadPlan plan = PlanReload(reading);
        foreach (string warning in plan.Warnings)
            _log.Always.SetUpWarning(warning);
        if (reading.Options is not { } options)
            return Refuse(plan);
        if (TryProvision(options.Interface) is { } problem)
            return Refuse(plan with { Result = ReloadResult.Refused, Errors = [problem] });

        reading.Accept();
        if (options.DebugLevel != _options.DebugLevel)
            (_console.DebugLevel, _levelBeforeInt) = (options.DebugLevel, null);
        _options = options;
        (_scripts.Interpreter, _scripts.Extension) = (options.ScriptsInterpreter, options.ScriptsExtension);
        _mesh.Reload(options.Mesh, MonotonicClock.Now);
        _log.Always.Reloaded(Summarise(plan));
        return plan.Result == ReloadResult.Nothing ? plan : plan with { Result = ReloadResult.Applied };
    }

    private ReloadPlan Refuse(ReloadPlan plan)
    {
        _log.Always.ReloadRefused();
        foreach (string error in plan.Errors)
            _log.Always.ReloadProblem(error);
        return plan;
    }

    /// <summary>Null, or why the interface cannot be set up like that; then it is as it was.</summary>
    private string? TryProvision(IReadOnlyList<InterfaceStep> wanted)
    {
        try
        {
            if (!_provisioning.IsRetired)
                _provisioning.Apply(wanted);
            return null;
        }
        catch (ProvisioningException e)
        {
            return e.Message;
        }
    }

    private ConfigurationReading Reread() => _options.Reread?.Invoke() ?? new ConfigurationReading { Options = _options };

    private static string Summarise(ReloadPlan plan)
    {
        if (plan.Result == ReloadResult.Nothing)
            return "nothing has changed";
        int waiting = plan.Variables.Count(change => change.Effect == ChangeEffect.Restart);
        int closed = plan.Connections.Count(change => change.Step is ConnectionStep.Close or ConnectionStep.Reconnect);
        return string.Create(CultureInfo.InvariantCulture,
            $"{plan.Variables.Count} values and {plan.Hosts.Count} host files differ, {closed} connections end, {plan.Subnets.Count} subnets change")
            + (waiting == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $"; {waiting} values wait for a restart"));
    }
}
