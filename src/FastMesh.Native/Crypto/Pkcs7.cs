namespace FastMesh.Native.Crypto;

/// <summary>The padding of block modes (PKCS#7, RFC 5652, 6.3).</summary>
internal static class Pkcs7
{
    /// <summary>Length of the data without its padding; -1 if the padding is wrong. How it fails is not hidden: authenticate first.</summary>
    public static int Unpad(ReadOnlySpan<byte> data, int block)
    {
        int padding = data.IsEmpty ? 0 : data[^1];
        return padding > 0 && padding <= Math.Min(block, data.Length) && data[^padding..].IndexOfAnyExcept((byte)padding) < 0
            ? data.Length - padding : -1;
    }
}
