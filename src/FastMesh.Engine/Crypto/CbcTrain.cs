using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Security.Cryptography;
using Aes = System.Runtime.Intrinsics.X86.Aes;

namespace FastMesh.Engine.Crypto;

/// <summary>
/// AES-CBC encryption (NIST SP 800-38A, 6.2; padded as in PKCS#7, RFC 5652, 6.3) of many packets under one key and one IV, as tinc 1.0 does
/// (tinc 1.0 reference, 5.2). Owns the key schedule and wipes it when nothing refers to it any more. One owner thread; does not allocate.
/// </summary>
/// <remarks>
/// Within a packet each block waits for the one before, so a processor spends most of the time waiting for AESENC; here eight packets are
/// encrypted side by side, each in a lane that takes the next packet when it is done. A lane without packet repeats what another lane does,
/// which costs nothing. Constant-time by construction: only AES instructions touch secrets, and branches and addresses depend on lengths alone.
/// </remarks>
internal sealed unsafe partial class CbcTrain
{
    /// <summary>The longest <see cref="TrainPacket.HeaderLength"/>: sequence number, Ethernet, IP and TCP with all options, and some.</summary>
    public const int MaxHeaderLength = 208;

    private const int Block = 16, Lanes = 8, MaxRounds = 14;

    // Packets below this length are copied whole: cheaper than three segments. Longer ones have room for header, seam and last block.
    private const int CopyLimit = 256;

    private readonly State* _state;
    private readonly int _rounds;

    /// <summary>Expands a key of 16, 24 or 32 bytes.</summary>
    /// <exception cref="ArgumentException">The key or the IV has another length.</exception>
    /// <exception cref="PlatformNotSupportedException">The processor has no AES instructions.</exception>
    public CbcTrain(ReadOnlySpan<byte> key, ReadOnlySpan<byte> iv)
    {
        if (key.Length is not (16 or 24 or 32) || iv.Length != Block)
            throw new ArgumentException("AES-CBC takes a key of 16, 24 or 32 bytes and an IV of 16.");
        if (!IsSupported)
            throw new PlatformNotSupportedException("The processor has no AES instructions.");
        _rounds = (key.Length / 4) + 6;
        _state = (State*)NativeMemory.AlignedAlloc((nuint)sizeof(State), 64);
        Expand(key, (uint*)_state->Keys);
        _state->Iv = Vector128.Create(iv);
    }

    /// <summary>Wipes the key.</summary>
    ~CbcTrain()
    {
        if (_state is null)
            return;
        CryptographicOperations.ZeroMemory(new Span<byte>(_state, sizeof(State)));
        NativeMemory.AlignedFree(_state);
    }

    /// <summary>Whether the processor has AES instructions.</summary>
    public static bool IsSupported => Aes.IsSupported;

    /// <summary>Bytes that a packet of <paramref name="length"/> bytes becomes: 1 to 16 of padding are added.</summary>
    public static int EncryptedLength(int length) => ((length / Block) + 1) * Block;

    /// <summary>
    /// Encrypts each packet from the IV into <see cref="EncryptedLength"/> bytes of output. Lengths may differ. A packet's output overlaps no
    /// plaintext but its own, and that only if it lies together and is overwritten from its first byte.
    /// </summary>
    /// <exception cref="ArgumentException">A packet is not inside the spans; nothing was encrypted.</exception>
    public void Encrypt(ReadOnlySpan<byte> headers, ReadOnlySpan<byte> payloads, Span<byte> output, ReadOnlySpan<TrainPacket> packets)
    {
        foreach (ref readonly TrainPacket packet in packets)
        {
            if ((uint)packet.HeaderLength > MaxHeaderLength || !Contains(headers.Length, packet.Header, packet.HeaderLength)
                || !Contains(payloads.Length, packet.Payload, packet.PayloadLength)
                || !Contains(output.Length, packet.Output, EncryptedLength(packet.Length)))
                ThrowOutside();
        }

        fixed (byte* header = headers, payload = payloads, to = output)
            EncryptCore(header, payload, to, packets);
        GC.KeepAlive(this); // the finaliser frees the state
    }

    // Every packet lies inside the memory behind the pointers: Encrypt has checked it.
    private void EncryptCore(byte* headers, byte* payloads, byte* output, ReadOnlySpan<TrainPacket> packets)
    {
        State* state = _state;
        var segments = (Segment*)state->Segments;
        new Span<byte>(segments, Lanes * sizeof(Segment)).Clear();
        for (int next = 0; ;)
        {
            int blocks = int.MaxValue, busy = -1;
            for (int lane = 0; lane < Lanes; lane++)
            {
                Segment* segment = segments + lane;
                if (segment->Blocks == 0 && !segment->Advance() && next < packets.Length)
                {
                    ref readonly TrainPacket packet = ref packets[next++];
                    byte* scratch = state->Scratch + (lane * CopyLimit);
                    segment->Start(packet, headers + packet.Header, payloads + packet.Payload, output + packet.Output, scratch);
                    Chains(state)[lane] = state->Iv;
                }

                if (segment->Blocks > 0)
                    (blocks, busy) = (Math.Min(blocks, segment->Blocks), lane);
            }

            if (busy < 0)
                return;
            Step(state, segments, busy, blocks);
        }
    }

    private void Step(State* state, Segment* segments, int busy, int blocks)
    {
        byte** from = stackalloc byte*[2 * Lanes], to = from + Lanes;
        Vector128<byte>* chains = Chains(state);
        for (int lane = 0; lane < Lanes; lane++)
        {
            int source = segments[lane].Blocks > 0 ? lane : busy;
            from[lane] = segments[source].From;
            to[lane] = segments[source].To;
            chains[lane] = chains[source];
        }

        EncryptBlocks((Vector128<byte>*)state->Keys, _rounds, chains, from, to, (nuint)blocks * Block);
        for (int lane = 0; lane < Lanes; lane++)
            if (segments[lane].Blocks > 0)
                segments[lane].Skip(blocks);
    }

    /// <summary>One step of all lanes. Loads of a block precede the stores, so lanes may do the same work.</summary>
    private static void EncryptBlocks(Vector128<byte>* keys, int rounds, Vector128<byte>* chains, byte** from, byte** to, nuint length)
    {
        Vector128<byte> a = chains[0], b = chains[1], c = chains[2], d = chains[3];
        Vector128<byte> e = chains[4], f = chains[5], g = chains[6], h = chains[7];
        for (nuint at = 0; at < length; at += Block)
        {
            Vector128<byte> key = keys[0];
            a ^= Vector128.Load(from[0] + at) ^ key;
            b ^= Vector128.Load(from[1] + at) ^ key;
            c ^= Vector128.Load(from[2] + at) ^ key;
            d ^= Vector128.Load(from[3] + at) ^ key;
            e ^= Vector128.Load(from[4] + at) ^ key;
            f ^= Vector128.Load(from[5] + at) ^ key;
            g ^= Vector128.Load(from[6] + at) ^ key;
            h ^= Vector128.Load(from[7] + at) ^ key;
            for (int round = 1; round < rounds; round++)
            {
                key = keys[round];
                a = Aes.Encrypt(a, key);
                b = Aes.Encrypt(b, key);
                c = Aes.Encrypt(c, key);
                d = Aes.Encrypt(d, key);
                e = Aes.Encrypt(e, key);
                f = Aes.Encrypt(f, key);
                g = Aes.Encrypt(g, key);
                h = Aes.Encrypt(h, key);
            }

            key = keys[rounds];
            (a = Aes.EncryptLast(a, key)).Store(to[0] + at);
            (b = Aes.EncryptLast(b, key)).Store(to[1] + at);
            (c = Aes.EncryptLast(c, key)).Store(to[2] + at);
            (d = Aes.EncryptLast(d, key)).Store(to[3] + at);
            (e = Aes.EncryptLast(e, key)).Store(to[4] + at);
            (f = Aes.EncryptLast(f, key)).Store(to[5] + at);
            (g = Aes.EncryptLast(g, key)).Store(to[6] + at);
            (h = Aes.EncryptLast(h, key)).Store(to[7] + at);
        }

        (chains[0], chains[1], chains[2], chains[3]) = (a, b, c, d);
        (chains[4], chains[5], chains[6], chains[7]) = (e, f, g, h);
    }

    private static Vector128<byte>* Chains(State* state) => (Vector128<byte>*)state->Chains;

    private static bool Contains(int room, int offset, int length) => (ulong)(uint)offset + (uint)length <= (uint)room;

    [DoesNotReturn]
    private static void ThrowOutside() => throw new ArgumentException("A packet of the train is not inside the memory given.");

    /// <summary>All that depends on the key, and the memory of a call; aligned to cache lines.</summary>
    private struct State
    {
        public fixed byte Keys[(MaxRounds + 1) * Block];
        public Vector128<byte> Iv;
        public fixed byte Chains[Lanes * Block];
        public fixed byte Segments[Lanes * Segment.Size];
        public fixed byte Scratch[Lanes * CopyLimit];
    }

    /// <summary>
    /// What a lane encrypts next: whole blocks that lie together, then the payload's whole blocks, then the padded last one. The result is
    /// contiguous.
    /// </summary>
    [StructLayout(LayoutKind.Sequential, Size = Size)]
    private struct Segment
    {
        public const int Size = 48;

        public byte* From, To;
        public int Blocks;
        private int _bodyBlocks;
        private byte* _body, _last;

        /// <summary>Begins a packet. Copies the header and the payload bytes which share a block with it, the last block, or all if short.</summary>
        public void Start(in TrainPacket packet, byte* header, byte* payload, byte* to, byte* scratch)
        {
            int headBlocks = (packet.HeaderLength + Block - 1) / Block;
            int copied = packet.Length < CopyLimit ? packet.PayloadLength : (headBlocks * Block) - packet.HeaderLength;
            Copy(header, packet.HeaderLength, scratch);
            Copy(payload, copied, scratch + packet.HeaderLength);
            From = scratch;
            To = to;
            Blocks = headBlocks;
            if (packet.Length < CopyLimit)
            {
                Blocks = EncryptedLength(packet.Length) / Block;
                Pad(scratch, packet.Length);
                return;
            }

            int rest = packet.PayloadLength - copied;
            _body = payload + copied;
            _bodyBlocks = rest / Block;
            _last = scratch + (headBlocks * Block);
            Copy(_body + (_bodyBlocks * Block), rest % Block, _last);
            Pad(_last, rest % Block);
            if (Blocks == 0)
                Advance();
        }

        /// <summary>Goes on to the next piece of the packet; false at its end.</summary>
        public bool Advance()
        {
            if (_bodyBlocks > 0)
            {
                From = _body;
                Blocks = _bodyBlocks;
                _bodyBlocks = 0;
            }
            else if (_last is not null)
            {
                From = _last;
                Blocks = 1;
                _last = null;
            }

            return Blocks > 0;
        }

        public void Skip(int blocks)
        {
            From += blocks * Block;
            To += blocks * Block;
            Blocks -= blocks;
        }

        private static void Copy(byte* from, int length, byte* to) => new ReadOnlySpan<byte>(from, length).CopyTo(new Span<byte>(to, length));

        private static void Pad(byte* bytes, int length)
        {
            int padding = EncryptedLength(length) - length;
            new Span<byte>(bytes + length, padding).Fill((byte)padding);
        }
    }
}
