using System.Runtime.InteropServices;

namespace FastMesh.Native.Interop;

/// <summary>
/// Intel ipsec-mb: what hashing of many messages at a time, decrypting and the AEADs need. Loaded by hand, since Debian 12 has version 1 and Debian 13 version 2 of the
/// library, and its burst functions are pointers inside its manager.
/// </summary>
internal static unsafe class LibIpsecMb
{
    internal const int IMB_AUTH_HMAC_SHA_256 = 3, IMB_AUTH_POLY1305 = 28, IMB_AUTH_CHACHA20_POLY1305 = 29;
    internal const int IMB_CIPHER_CBC = 1, IMB_CIPHER_NULL = 3, IMB_CIPHER_CHACHA20_POLY1305 = 19;
    internal const int IMB_DIR_ENCRYPT = 1, IMB_DIR_DECRYPT = 2, IMB_ORDER_CIPHER_HASH = 1, IMB_ORDER_HASH_CIPHER = 2, IMB_STATUS_COMPLETED = 3;
    internal const ulong IMB_FEATURE_SHANI = 1, IMB_FEATURE_VAES = 1 << 12, IMB_FEATURE_VPCLMULQDQ = 1 << 13;
    internal const int MaxBurst = 64; // ours; IMB_MAX_BURST_SIZE is 128

    // IMB_JOB: the fields used lie at the same place in 1.3 to 2.0, only its size differs. IMB_MGR: likewise.
    internal const int JobSource = 24, JobHashOffset = 56, JobHashLength = 64, JobTag = 88, JobTagLength = 96, JobInner = 104, JobOuter = 112;
    internal const int JobAssociated = 104, JobAssociatedLength = 112, JobPolyKey = 104, JobCipherOffset = 40;
    internal const int JobStatus = 128, JobCipherMode = 132, JobDirection = 136, JobHashAlgorithm = 140, JobOrder = 144;
    internal const int JobEncryptionKeys = 0, JobDecryptionKeys = 8, JobKeyLength = 16, JobDestination = 32, JobCipherLength = 48, JobIv = 72, JobIvLength = 80;
    private const int ManagerFeatures = 8, ManagerNextJob = 64, ManagerSubmitJob = 80, ManagerExpandAes128 = 112;
    private const int ManagerGcm256Encrypt = 272, ManagerGcm256Decrypt = 296, ManagerGcm256Expand = 464;
    private const int ManagerCipherBurst = 992, ManagerHashBurst = 1008;

    /// <summary>sizeof(struct gcm_key_data): 1008 in version 1.3, 1264 later; aligned to 64. And sizeof(struct gcm_context_data).</summary>
    internal const int GcmKeySize = 1280, GcmContextSize = 88;

    private static readonly nint s_library = Load();
    private static readonly delegate* unmanaged<ulong, byte*> s_alloc = (delegate* unmanaged<ulong, byte*>)Export("alloc_mb_mgr");
    private static readonly delegate* unmanaged<byte*, void> s_free = (delegate* unmanaged<byte*, void>)Export("free_mb_mgr");
    private static readonly delegate* unmanaged<byte*, void> s_initSse = (delegate* unmanaged<byte*, void>)Export("init_mb_mgr_sse");
    private static readonly delegate* unmanaged<byte*, void*, void> s_initAuto = (delegate* unmanaged<byte*, void*, void>)Export("init_mb_mgr_auto");

    private static readonly uint s_version = FindVersion();
    private static readonly int s_jobSize = FindJobSize();

    /// <summary>Do as if the library were not there.</summary>
    internal static bool IsLeftOut { get; set; }

    /// <summary>sizeof(IMB_JOB) of the library found; 0 if there is none, one whose layout is not known, or it is left out.</summary>
    internal static int JobSize => IsLeftOut ? 0 : s_jobSize;

    /// <summary>As in 1.3.0.</summary>
    internal static string Version => $"{s_version >> 16}.{s_version >> 8 & 0xff}.{s_version & 0xff}";

    /// <summary>Whether the library found AES and carry-less multiplication on long vectors.</summary>
    internal static bool HasVectorAes
    {
        get
        {
            const ulong Wanted = IMB_FEATURE_VAES | IMB_FEATURE_VPCLMULQDQ;
            byte* manager = CreateCipherManager();
            if (manager is null)
                return false;
            ulong features = *(ulong*)(manager + ManagerFeatures);
            FreeManager(manager);
            return (features & Wanted) == Wanted;
        }
    }

    /// <summary>
    /// Makes a manager for hashing, or returns null. With SHA instructions two messages side by side are fastest at any number of messages; without,
    /// as many as the vector registers have room for.
    /// </summary>
    internal static byte* CreateHashManager()
    {
        byte* manager = JobSize == 0 ? null : s_alloc(0);
        if (manager is null)
            return null;
        if ((*(ulong*)(manager + ManagerFeatures) & IMB_FEATURE_SHANI) != 0)
            s_initSse(manager);
        else
            s_initAuto(manager, null);
        return manager;
    }

    /// <summary>Makes a manager for ciphers, or returns null: with the longest registers that the processor has.</summary>
    internal static byte* CreateCipherManager()
    {
        byte* manager = JobSize == 0 ? null : s_alloc(0);
        if (manager is not null)
            s_initAuto(manager, null);
        return manager;
    }

    internal static void FreeManager(byte* manager) => s_free(manager);

    /// <summary>IMB_SUBMIT_HASH_BURST_NOCHECK: returns the number of jobs done.</summary>
    internal static uint HashBurst(byte* manager, byte* jobs, uint count, int algorithm) =>
        (*(delegate* unmanaged<byte*, byte*, uint, int, uint>*)(manager + ManagerHashBurst))(manager, jobs, count, algorithm);

    /// <summary>IMB_SUBMIT_CIPHER_BURST_NOCHECK: returns the number of jobs done.</summary>
    internal static uint CipherBurst(byte* manager, byte* jobs, uint count, int mode, int direction, int keyLength) =>
        (*(delegate* unmanaged<byte*, byte*, uint, int, int, int, uint>*)(manager + ManagerCipherBurst))(manager, jobs, count, mode, direction, keyLength);

    /// <summary>IMB_AES_KEYEXP_128, _192 or _256: both schedules of a key of 16, 24 or 32 bytes, up to 240 bytes each, aligned to 16.</summary>
    internal static void ExpandAesKey(byte* manager, byte* key, int keyLength, byte* encryption, byte* decryption) =>
        (*(delegate* unmanaged<byte*, byte*, byte*, void>*)(manager + ManagerExpandAes128 + keyLength - 16))(key, encryption, decryption);

    /// <summary>IMB_AES256_GCM_PRE: the schedule of a key of 32 bytes, <see cref="GcmKeySize"/> bytes.</summary>
    internal static void ExpandGcm256Key(byte* manager, byte* key, byte* schedule) =>
        (*(delegate* unmanaged<byte*, byte*, void>*)(manager + ManagerGcm256Expand))(key, schedule);

    /// <summary>
    /// gcm256_enc: schedule, context, output, input, length, IV of 12 bytes, associated data, their length, tag, its length. It needs no manager.
    /// </summary>
    internal static delegate* unmanaged<byte*, byte*, byte*, byte*, ulong, byte*, byte*, ulong, byte*, ulong, void> Gcm256Encrypt(byte* manager) =>
        *(delegate* unmanaged<byte*, byte*, byte*, byte*, ulong, byte*, byte*, ulong, byte*, ulong, void>*)(manager + ManagerGcm256Encrypt);

    /// <summary>gcm256_dec: as <see cref="Gcm256Encrypt"/>. The tag is computed, not compared.</summary>
    internal static delegate* unmanaged<byte*, byte*, byte*, byte*, ulong, byte*, byte*, ulong, byte*, ulong, void> Gcm256Decrypt(byte* manager) =>
        *(delegate* unmanaged<byte*, byte*, byte*, byte*, ulong, byte*, byte*, ulong, byte*, ulong, void>*)(manager + ManagerGcm256Decrypt);

    /// <summary>IMB_GET_NEXT_JOB: the job to fill in.</summary>
    internal static byte* NextJob(byte* manager) => (*(delegate* unmanaged<byte*, byte*>*)(manager + ManagerNextJob))(manager);

    /// <summary>IMB_SUBMIT_JOB_NOCHECK: a job that is done, or null.</summary>
    internal static byte* SubmitJob(byte* manager) => (*(delegate* unmanaged<byte*, byte*>*)(manager + ManagerSubmitJob))(manager);

    private static nint Load() =>
        RuntimeInformation.ProcessArchitecture == Architecture.X64
            && (NativeLibrary.TryLoad("libIPSec_MB.so.2", out nint library) || NativeLibrary.TryLoad("libIPSec_MB.so.1", out library))
            ? library : 0;

    private static nint Export(string name) => s_library != 0 && NativeLibrary.TryGetExport(s_library, name, out nint address) ? address : 0;

    private static uint FindVersion()
    {
        var version = (delegate* unmanaged<uint>)Export("imb_get_version");
        return version is null ? 0 : version();
    }

    private static int FindJobSize()
    {
        if (s_version == 0 || s_alloc is null || s_free is null || s_initSse is null || s_initAuto is null)
            return 0;
        return (s_version >> 8) switch
        {
            0x103 => 200,
            0x104 or 0x105 => 240,
            0x200 => 216,
            _ => 0,
        };
    }
}
