using System.Globalization;

namespace FastMesh.Engine.Tests.DataPath;

/// <summary>
/// Laws that hold for every random case. A failure names its seed, and FASTMESH_PROPERTY_SEED=that FASTMESH_PROPERTY_CASES=1 repeats it;
/// FASTMESH_PROPERTY_CASES alone explores for longer.
/// </summary>
internal static class Property
{
    public static void Holds(int cases, Action<Random> law)
    {
        int first = Setting("SEED", 1);
        for (int seed = first; seed < first + Setting("CASES", cases); seed++)
        {
            try
            {
                law(new Random(seed));
            }
            catch (Exception failure)
            {
                Assert.Fail($"seed {seed}: {failure.Message}\n{failure.StackTrace}");
            }
        }
    }

    private static int Setting(string name, int otherwise) =>
        int.TryParse(Environment.GetEnvironmentVariable("FASTMESH_PROPERTY_" + name), CultureInfo.InvariantCulture, out int value) ? value : otherwise;
}
