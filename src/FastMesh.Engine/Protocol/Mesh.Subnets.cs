using FastMesh.Engine.Routing;
using FastMesh.Engine.Wire;

namespace FastMesh.Engine.Protocol;

/// <summary>
/// ADD_SUBNET and DEL_SUBNET (tinc 1.0 reference, 4.7), StrictSubnets (6.6), and the Ethernet addresses learned in switch mode
/// (6.10). Scripts follow the reachability of the last graph run; edges changed since then run theirs with it.
/// </summary>
public sealed partial class Mesh
{
    /// <summary>An address seen on the own device.</summary>
    /// <param name="Mac">Its record, shared with the shards.</param>
    /// <param name="Announced">Whether it was announced because it was learned, and is not a configured Subnet.</param>
    private readonly record struct LearnedAddress(LearnedMac Mac, bool Announced)
    {
        /// <summary>When another node announced the same address, or a moment before all others.</summary>
        public Instant Roamed { get; init; } = new(long.MinValue);
    }

    private readonly SortedDictionary<ulong, LearnedAddress> _learned = [];

    private bool HandleAddSubnet(MetaConnection from, ref MetaReader fields, Instant now)
    {
        if (!TryReadSubnet(ref fields, out string name, out Subnet subnet))
            return Refuse(from, MetaRequest.AddSubnet, "unparsable");
        if (IsSeen(from, ref fields, now) || IsForeign(from, name))
            return true;

        Node owner = _graph.Find(name) ?? AddNode(name);
        if (_subnets.Contains(owner, subnet))
            return true;
        if (owner == Self)
        {
            if (!MayCorrect(from, MetaRequest.AddSubnet))
                return true;
            Send(from, MetaRequest.DelSubnet, MetaWriter.DelSubnet(_random.NextNonce(), name, subnet), now);
            return true;
        }

        if (_settings.StrictSubnets)
        {
            _log.Status.Unauthorized(NameOf(MetaRequest.AddSubnet), from, $"{name} {subnet}");
            Forward(from, MetaRequest.AddSubnet, fields.Line, now);
            return true;
        }

        AddSubnet(owner, subnet);
        Forward(from, MetaRequest.AddSubnet, fields.Line, now);
        if (subnet.Kind == SubnetKind.Mac && _learned.TryGetValue((ulong)subnet.Address, out LearnedAddress learned))
            _learned[(ulong)subnet.Address] = learned with { Roamed = now };
        return true;
    }

    private bool HandleDelSubnet(MetaConnection from, ref MetaReader fields, Instant now)
    {
        if (!TryReadSubnet(ref fields, out string name, out Subnet subnet))
            return Refuse(from, MetaRequest.DelSubnet, "unparsable");
        if (IsSeen(from, ref fields, now) || IsForeign(from, name))
            return true;

        if (_graph.Find(name) is not { } owner)
        {
            _log.Status.UnknownNode(NameOf(MetaRequest.DelSubnet), from, name);
            return true;
        }

        if (!_subnets.Contains(owner, subnet))
        {
            if (_settings.StrictSubnets)
                Forward(from, MetaRequest.DelSubnet, fields.Line, now);
            return true;
        }

        if (owner == Self)
        {
            if (MayCorrect(from, MetaRequest.DelSubnet))
                Send(from, MetaRequest.AddSubnet, MetaWriter.AddSubnet(_random.NextNonce(), name, subnet), now);
            return true;
        }

        Forward(from, MetaRequest.DelSubnet, fields.Line, now);
        if (!_settings.StrictSubnets)
            RemoveSubnet(owner, subnet);
        return true;
    }

    /// <summary><c>NONCE OWNER SUBNET</c></summary>
    private static bool TryReadSubnet(ref MetaReader fields, out string owner, out Subnet subnet)
    {
        (owner, subnet) = ("", default);
        return fields.TryHex(out _) && fields.TryName(out owner) && fields.TryText(out string text) && Subnet.TryParse(text, out subnet);
    }

    private Node AddNode(string name)
    {
        _tableChanged = true;
        return _graph.GetOrAdd(name);
    }

    private void AddSubnet(Node owner, Subnet subnet)
    {
        _subnets.Add(owner, subnet);
        _tableChanged = true;
        if (owner.Reachable)
            RunSubnetScript(owner, subnet, up: true);
    }

    private void RemoveSubnet(Node owner, Subnet subnet)
    {
        if (!_subnets.Remove(owner, subnet))
            return;
        _tableChanged = true;
        if (owner.Reachable)
            RunSubnetScript(owner, subnet, up: false);
    }

    private void AnnounceSubnet(Node owner, Subnet subnet, bool up, Instant now)
    {
        if (up)
            Broadcast(null, MetaRequest.AddSubnet, MetaWriter.AddSubnet(_random.NextNonce(), owner.Name, subnet), now);
        else
            Broadcast(null, MetaRequest.DelSubnet, MetaWriter.DelSubnet(_random.NextNonce(), owner.Name, subnet), now);
    }

    /// <summary>Makes the subnets of a node those of a list, telling everyone of the differences.</summary>
    private void SetSubnets(Node owner, IEnumerable<Subnet> wanted, bool announce, Instant now)
    {
        (List<Subnet> gone, List<Subnet> added) = Differences(owner, wanted);
        foreach (Subnet subnet in gone)
        {
            if (announce)
                AnnounceSubnet(owner, subnet, up: false, now);
            RemoveSubnet(owner, subnet);
        }

        foreach (Subnet subnet in added)
        {
            AddSubnet(owner, subnet);
            if (announce)
                AnnounceSubnet(owner, subnet, up: true, now);
        }
    }

    /// <summary>What a node has but should not, and the other way round. Addresses learned on the own device stay.</summary>
    /// <param name="owner">The node, or null for one that is not known yet.</param>
    /// <param name="wanted">What it should have.</param>
    private (List<Subnet> Gone, List<Subnet> Added) Differences(Node? owner, IEnumerable<Subnet> wanted)
    {
        var target = new SortedSet<Subnet>(wanted);
        IReadOnlyCollection<Subnet> present = owner is null ? [] : [.. _subnets.Of(owner)];
        bool isLearned(Subnet subnet) => owner == Self && subnet.Kind == SubnetKind.Mac && _learned.ContainsKey((ulong)subnet.Address);
        return ([.. present.Where(subnet => !target.Contains(subnet) && !isLearned(subnet))], [.. target.Except(present)]);
    }

    /// <summary>Loads the Subnets of all host files; with StrictSubnets no others count.</summary>
    private void LoadStrictSubnets(bool announce, Instant now)
    {
        foreach ((string name, IReadOnlyList<Subnet> subnets) in StatedSubnets())
            SetSubnets(AddNode(name), subnets, announce && !_settings.TunnelServer, now);
    }

    /// <summary>The Subnets in the host files of all nodes but this one; none of a node that has no file.</summary>
    private List<(string Name, IReadOnlyList<Subnet> Subnets)> StatedSubnets()
    {
        IReadOnlyList<string> files = _directory.Names;
        IEnumerable<string> others = _graph.Nodes.Select(node => node.Name).Except(files);
        return
        [
            .. files.Where(name => name != Self.Name)
                .Select(name => (name, _directory.TryRead(name, out PeerSettings? peer) ? peer.Subnets : [])),
            .. others.Where(name => name != Self.Name).Select(name => (name, (IReadOnlyList<Subnet>)[])),
        ];
    }

    /// <summary>A frame from the own device had a source address that is not in the table (switch mode).</summary>
    public void HandleLearned(MacAddress mac, Instant now)
    {
        if (_learned.TryGetValue(mac.Value, out LearnedAddress known))
        {
            known.Mac.Touch(now);
            return;
        }

        if (_learned.Count >= ProtocolLimits.MaxLearnedMacs)
        {
            _log.Always.TooManyAddresses(mac);
            return;
        }

        Subnet subnet = Subnet.FromMac(mac);
        bool isNew = !_subnets.Contains(Self, subnet);
        _learned.Add(mac.Value, new LearnedAddress(new LearnedMac(mac, now), isNew));
        _tableChanged = true;
        if (!isNew)
            return;
        AddSubnet(Self, subnet);
        AnnounceSubnet(Self, subnet, up: true, now);
    }

    /// <summary>Addresses not seen for MACExpire, or announced by another node since they were last seen here, are given up.</summary>
    private void AgeLearned(Instant now)
    {
        foreach ((ulong address, LearnedAddress learned) in _learned.ToList())
        {
            Instant seen = learned.Mac.LastSeen;
            if (seen > learned.Roamed && now - seen < _settings.MacExpire)
                continue;
            _learned.Remove(address);
            _tableChanged = true;
            if (!learned.Announced)
                continue;
            Subnet subnet = Subnet.FromMac(learned.Mac.Address);
            AnnounceSubnet(Self, subnet, up: false, now);
            RemoveSubnet(Self, subnet);
        }
    }
}
