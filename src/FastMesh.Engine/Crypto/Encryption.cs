using FastMesh.Native.Crypto;

namespace FastMesh.Engine.Crypto;

/// <summary>Which library encrypts. Each uses the best instructions of the processor that it knows.</summary>
public enum CryptoChoice
{
    /// <summary>ipsec-mb where it is installed, else OpenSSL: ipsec-mb is faster in everything that it does.</summary>
    Automatic,

    /// <summary>ipsec-mb, and nothing else where it can do the work.</summary>
    IpsecMb,

    /// <summary>OpenSSL's libcrypto alone.</summary>
    OpenSsl,
}

/// <summary>The choice of the libraries that encrypt, for the whole process.</summary>
public static class Encryption
{
    private static readonly Lazy<string> s_description = new(CryptoLibraries.Describe);

    /// <summary>Each suite and what computes it, in one line. The first use loads and tests the libraries.</summary>
    public static string Description => s_description.Value;

    /// <summary>Makes the choice, before the first use of any cipher. False if a library is not there.</summary>
    public static bool TryChoose(CryptoChoice choice)
    {
        if (choice == CryptoChoice.OpenSsl)
            CryptoLibraries.LeaveOutIpsecMb();
        return choice != CryptoChoice.IpsecMb || CryptoLibraries.HasIpsecMb;
    }
}
