using System.Globalization;
using System.Net;
using System.Runtime.InteropServices;
using System.Text;
using FastMesh.Native.Interop;

namespace FastMesh.Native.Linux;

/// <summary>
/// A home router that forwards ports if it is asked to (UPnP, InternetGatewayDevice), over IPv4, by libminiupnpc. The library is optional. Every call waits for
/// the router, seconds if it does not answer. One thread at a time.
/// </summary>
public sealed unsafe class InternetGateway
{
    private const int AddressRoom = 64;

    // C strings as the library gave them.
    private readonly byte[] _control, _service, _description, _local;

    private InternetGateway(byte[] control, byte[] service, byte[] description, byte[] local) =>
        (_control, _service, _description, _local) = (control, service, description, local);

    /// <summary>Whether the library is installed in a version that is known. Probed once.</summary>
    public static bool IsAvailable => Libminiupnpc.Version != 0;

    /// <summary>The router's address, or what it calls itself.</summary>
    public string Address => Uri.TryCreate(Text(_control), UriKind.Absolute, out Uri? url) ? url.Host : "a router";

    /// <summary>The address under which the router is seen from outside, or null if it does not tell.</summary>
    public IPAddress? OutsideAddress
    {
        get
        {
            byte* address = stackalloc byte[AddressRoom];
            new Span<byte>(address, AddressRoom).Clear();
            fixed (byte* control = _control, service = _service)
            {
                bool isTold = Libminiupnpc.GetExternalAddress(control, service, address) == Libminiupnpc.UPNPCOMMAND_SUCCESS;
                return isTold && IPAddress.TryParse(Text(String(address)), out IPAddress? outside) ? outside : null;
            }
        }
    }

    /// <summary>Searches for a router; null if none answers.</summary>
    /// <param name="wait">How long to wait for an answer, once for each of several kinds of devices.</param>
    public static InternetGateway? Find(TimeSpan wait)
    {
        byte* devices = Libminiupnpc.Discover((int)Math.Min(wait.TotalMilliseconds, int.MaxValue));
        if (devices is null)
            return null;
        byte* urls = stackalloc byte[Libminiupnpc.UrlsSize], data = stackalloc byte[Libminiupnpc.DataSize], local = stackalloc byte[AddressRoom];
        Clear(urls, data, local);
        bool isFound = Libminiupnpc.GetValidIgd(devices, urls, data, local, AddressRoom);
        Libminiupnpc.FreeDevices(devices);
        return Take(isFound, urls, data, local);
    }

    /// <summary>Asks the same router for what it is and where this host is seen from it, both of which may have changed; null if it does not answer.</summary>
    public InternetGateway? Renew()
    {
        byte* urls = stackalloc byte[Libminiupnpc.UrlsSize], data = stackalloc byte[Libminiupnpc.DataSize], local = stackalloc byte[AddressRoom];
        Clear(urls, data, local);
        fixed (byte* description = _description)
            return Take(Libminiupnpc.GetIgdFromUrl(description, urls, data, local, AddressRoom), urls, data, local);
    }

    /// <summary>Has a port of the router forwarded to the same port of this host. Returns null, or why it does not do so.</summary>
    /// <param name="protocol">TCP or UDP.</param>
    /// <param name="port">The port.</param>
    /// <param name="name">What the router's owner sees.</param>
    /// <param name="lease">After that time the router forgets it, if it is not asked once more.</param>
    public string? Forward(string protocol, ushort port, string name, TimeSpan lease)
    {
        fixed (byte* control = _control, service = _service, number = Number(port), local = _local, shown = Bytes(name), kind = Bytes(protocol), seconds = Number((long)lease.TotalSeconds))
        {
            int error = Libminiupnpc.AddMapping(control, service, number, local, shown, kind, seconds);
            return error == Libminiupnpc.UPNPCOMMAND_SUCCESS ? null : Describe(error);
        }
    }

    /// <summary>Has it no longer forwarded; whether the router does so is not known.</summary>
    public void TakeBack(string protocol, ushort port)
    {
        fixed (byte* control = _control, service = _service, number = Number(port), kind = Bytes(protocol))
            _ = Libminiupnpc.DeleteMapping(control, service, number, kind);
    }

    private static void Clear(byte* urls, byte* data, byte* local)
    {
        new Span<byte>(urls, Libminiupnpc.UrlsSize).Clear();
        new Span<byte>(data, Libminiupnpc.DataSize).Clear();
        new Span<byte>(local, AddressRoom).Clear();
    }

    /// <summary>Copies what the library has found, and frees it.</summary>
    private static InternetGateway? Take(bool isFound, byte* urls, byte* data, byte* local)
    {
        byte* control = *(byte**)(urls + Libminiupnpc.UrlsControl), description = *(byte**)(urls + Libminiupnpc.UrlsRootDescription);
        bool isWhole = isFound && control is not null && description is not null;
        InternetGateway? gateway = isWhole ? new(String(control), String(data + Libminiupnpc.DataServiceType), String(description), String(local)) : null;
        Libminiupnpc.FreeUrls(urls);
        return gateway;
    }

    private static string Describe(int error)
    {
        byte* text = Libminiupnpc.Describe(error);
        return string.Create(CultureInfo.InvariantCulture, $"{(text is null ? "UPnP error" : Text(String(text)))} ({error})");
    }

    private static byte[] String(byte* text) => [.. MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text), 0];

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text + '\0');

    private static byte[] Number(long value) => Bytes(value.ToString(CultureInfo.InvariantCulture));

    private static string Text(byte[] text) => Encoding.UTF8.GetString(text.AsSpan(0, text.Length - 1));
}
