using System.Runtime.InteropServices;

namespace FastMesh.Native.Interop;

/// <summary>
/// libminiupnpc, whose soname is the version of its interface: 17 (2.2.4, Debian 12), 18 (2.2.8, Debian 13), 21 (2.3.3). Of what is used here only
/// UPNP_GetValidIGD differs. Loaded by hand, since any of them will do.
/// </summary>
internal static unsafe class Libminiupnpc
{
    internal const int UPNPCOMMAND_SUCCESS = 0, UPNP_LOCAL_PORT_ANY = 0;

    /// <summary>struct UPNPUrls: five strings, the first and the last of which are these.</summary>
    internal const int UrlsSize = 40, UrlsControl = 0, UrlsRootDescription = 32;

    /// <summary>struct IGDdatas: three strings of 128 bytes, an int and five services of four such strings. The second is the one to ask, its last string its type.</summary>
    internal const int DataSize = 2948, DataServiceType = 1284;

    // From this version on UPNP_GetValidIGD has room for the outside address, and a number of its own for a reserved one.
    private const int TellsOutside = 18;

    private static readonly int s_version; // no initializer: the next line's writes it
    private static readonly nint s_library = Load(out s_version);

    private static readonly delegate* unmanaged<int, byte*, byte*, int, int, byte, int*, byte*> s_discover =
        (delegate* unmanaged<int, byte*, byte*, int, int, byte, int*, byte*>)Export("upnpDiscover");

    private static readonly delegate* unmanaged<byte*, void> s_freeDevices = (delegate* unmanaged<byte*, void>)Export("freeUPNPDevlist");
    private static readonly nint s_getValidIgd = Export("UPNP_GetValidIGD");

    private static readonly delegate* unmanaged<byte*, byte*, byte*, byte*, int, int> s_getIgdFromUrl =
        (delegate* unmanaged<byte*, byte*, byte*, byte*, int, int>)Export("UPNP_GetIGDFromUrl");

    private static readonly delegate* unmanaged<byte*, void> s_freeUrls = (delegate* unmanaged<byte*, void>)Export("FreeUPNPUrls");

    private static readonly delegate* unmanaged<byte*, byte*, byte*, int> s_getExternalAddress =
        (delegate* unmanaged<byte*, byte*, byte*, int>)Export("UPNP_GetExternalIPAddress");

    private static readonly delegate* unmanaged<byte*, byte*, byte*, byte*, byte*, byte*, byte*, byte*, byte*, int> s_addMapping =
        (delegate* unmanaged<byte*, byte*, byte*, byte*, byte*, byte*, byte*, byte*, byte*, int>)Export("UPNP_AddPortMapping");

    private static readonly delegate* unmanaged<byte*, byte*, byte*, byte*, byte*, int> s_deleteMapping =
        (delegate* unmanaged<byte*, byte*, byte*, byte*, byte*, int>)Export("UPNP_DeletePortMapping");

    private static readonly delegate* unmanaged<int, byte*> s_describe = (delegate* unmanaged<int, byte*>)Export("strupnperror");

    /// <summary>MINIUPNPC_API_VERSION of the library found; 0 if there is none that is known.</summary>
    internal static int Version => s_version;

    /// <summary>upnpDiscover by IPv4: a list of devices, or null. Waits for answers as many milliseconds as it is told, per kind of device.</summary>
    internal static byte* Discover(int milliseconds)
    {
        int error;
        return s_discover(milliseconds, null, null, UPNP_LOCAL_PORT_ANY, 0, 2, &error);
    }

    internal static void FreeDevices(byte* devices) => s_freeDevices(devices);

    /// <summary>UPNP_GetValidIGD: whether there is a device that forwards ports, connected or not. If so, what it has filled in is to be freed.</summary>
    /// <param name="devices">The list.</param>
    /// <param name="urls"><see cref="UrlsSize"/> bytes of zeros.</param>
    /// <param name="data"><see cref="DataSize"/> bytes of zeros.</param>
    /// <param name="local">Room for this host's address towards it.</param>
    /// <param name="localRoom">Its length.</param>
    internal static bool GetValidIgd(byte* devices, byte* urls, byte* data, byte* local, int localRoom)
    {
        if (s_version < TellsOutside)
            return ((delegate* unmanaged<byte*, byte*, byte*, byte*, int, int>)s_getValidIgd)(devices, urls, data, local, localRoom) is 1 or 2;
        return ((delegate* unmanaged<byte*, byte*, byte*, byte*, int, byte*, int, int>)s_getValidIgd)(devices, urls, data, local, localRoom, null, 0) is 1 or 2 or 3;
    }

    /// <summary>UPNP_GetIGDFromUrl: the same of a device whose description is at that address.</summary>
    internal static bool GetIgdFromUrl(byte* description, byte* urls, byte* data, byte* local, int localRoom) =>
        s_getIgdFromUrl(description, urls, data, local, localRoom) == 1;

    internal static void FreeUrls(byte* urls) => s_freeUrls(urls);

    /// <summary>UPNP_GetExternalIPAddress: writes up to 16 bytes. Returns UPNPCOMMAND_SUCCESS or an error.</summary>
    internal static int GetExternalAddress(byte* control, byte* service, byte* address) => s_getExternalAddress(control, service, address);

    /// <summary>UPNP_AddPortMapping for everybody outside. Returns UPNPCOMMAND_SUCCESS or an error.</summary>
    internal static int AddMapping(byte* control, byte* service, byte* port, byte* local, byte* description, byte* protocol, byte* lease) =>
        s_addMapping(control, service, port, port, local, description, protocol, null, lease);

    /// <summary>UPNP_DeletePortMapping. Returns UPNPCOMMAND_SUCCESS or an error.</summary>
    internal static int DeleteMapping(byte* control, byte* service, byte* port, byte* protocol) => s_deleteMapping(control, service, port, protocol, null);

    /// <summary>strupnperror: a description that stays, or null.</summary>
    internal static byte* Describe(int error) => s_describe(error);

    private static nint Load(out int version)
    {
        foreach (int known in (ReadOnlySpan<int>)[21, 18, 17])
        {
            if (NativeLibrary.TryLoad($"libminiupnpc.so.{known}", out nint library))
            {
                version = known;
                return library;
            }
        }

        version = 0;
        return 0;
    }

    private static nint Export(string name) => s_library == 0 ? 0 : NativeLibrary.GetExport(s_library, name);
}
