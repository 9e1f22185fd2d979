using FastMesh.Engine.Crypto;

namespace FastMesh.Fuzz.Targets;

/// <summary>Datagrams from the network: under a key without MAC, so that noise reaches decryption, and under one with.</summary>
internal sealed class Datagram : FuzzTarget
{
    private const string Hex =
        "807531CF8CC61CB3BE46EC3878FF472005C36584F3C436EE1C8696F03F8992D194B05BA37989E053F94B165891033014";

    private readonly byte[] _output = new byte[LegacyOpener.RoomFor(4096)];
    private readonly LegacyKey _key = Key(LegacySuite.Default);
    private readonly LegacyOpener[] _openers =
    [
        new(Key(LegacySuite.Default), 16, 0, null),
        new(Key(LegacySuite.Default with { Digest = 0 }), 16, 0, null),
        new(Key(LegacySuite.Default with { Digest = 0, Compression = 6 }), 0, 0, null),
        new(LegacyKey.Generate(new LegacySuite(0, 0, 0, 0), new SystemRandom()), 16, 0, null),
    ];

    public override IEnumerable<byte[]> Seeds
    {
        get
        {
            byte[] datagram = new byte[2000];
            foreach (int length in (int[])[14, 98, 1400])
                yield return datagram[..new LegacySealer(_key, 0).Seal(new byte[4 + length], datagram)];
        }
    }

    public override void Run(Span<byte> input)
    {
        foreach (LegacyOpener opener in _openers)
        {
            if (opener.Open(input, _output, out int offset, out int length) == OpenResult.Opened
                && (length < 14 || offset + length > LegacyOpener.RoomFor(input.Length)))
                throw new InvalidOperationException($"a frame of {length} bytes came out of a datagram of {input.Length}");
        }

        _key.Verify(input);
    }

    private static LegacyKey Key(LegacySuite suite) =>
        LegacyKey.TryParse(Hex, suite, out LegacyKey? key, out string reason) ? key : throw new InvalidOperationException(reason);
}
