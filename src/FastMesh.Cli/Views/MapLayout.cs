namespace FastMesh.Cli.Views;

/// <summary>
/// Where nodes are drawn: they start on a circle in the order of their names, then repel each other while links pull, as springs do
/// (Fruchterman and Reingold 1991). Nothing is left to chance, so the same mesh always looks the same.
/// </summary>
internal static class MapLayout
{
    /// <summary>With more nodes the springs would take too long, and nobody could read the result.</summary>
    private const int MostWithSprings = 250;

    private const int Rounds = 300;

    /// <summary>Positions of the nodes of a map, in their order; both coordinates from 0 to 1.</summary>
    public static (double X, double Y)[] Place(MeshMap map)
    {
        int count = map.Nodes.Count;
        (double X, double Y)[] places = [.. Enumerable.Range(0, count).Select(i => (Math.Sin(Math.Tau * i / count), -Math.Cos(Math.Tau * i / count)))];
        if (count is > 2 and <= MostWithSprings)
            Relax(places, LinksOf(map));
        return Fit(places);
    }

    private static (int From, int To)[] LinksOf(MeshMap map)
    {
        Dictionary<string, int> index = map.Nodes.Select((node, i) => (node.Name, i)).ToDictionary(pair => pair.Name, pair => pair.i, StringComparer.Ordinal);
        return [.. map.Links.Where(link => index.ContainsKey(link.From) && index.ContainsKey(link.To)).Select(link => (index[link.From], index[link.To]))];
    }

    private static void Relax((double X, double Y)[] places, (int From, int To)[] links)
    {
        double ideal = 1.6 / Math.Sqrt(places.Length);
        (double X, double Y)[] forces = new (double, double)[places.Length];
        for (int round = 0; round < Rounds; round++)
        {
            Array.Clear(forces);
            for (int i = 0; i < places.Length; i++)
            {
                for (int j = i + 1; j < places.Length; j++)
                    Push(i, j, static (distance, ideal) => ideal * ideal / distance);
                forces[i] = (forces[i].X - (0.05 * places[i].X), forces[i].Y - (0.05 * places[i].Y)); // parts without links stay near
            }

            foreach ((int from, int to) in links)
                Push(from, to, static (distance, ideal) => -distance * distance / ideal);
            double step = 0.1 * (1 - ((double)round / Rounds));
            for (int i = 0; i < places.Length; i++)
            {
                double length = Math.Max(Length(forces[i].X, forces[i].Y), 1e-9), move = Math.Min(length, step);
                places[i] = (places[i].X + (forces[i].X / length * move), places[i].Y + (forces[i].Y / length * move));
            }
        }

        void Push(int i, int j, Func<double, double, double> strength)
        {
            double x = places[i].X - places[j].X, y = places[i].Y - places[j].Y, distance = Math.Max(Length(x, y), 1e-3);
            double force = strength(distance, ideal) / distance;
            forces[i] = (forces[i].X + (x * force), forces[i].Y + (y * force));
            forces[j] = (forces[j].X - (x * force), forces[j].Y - (y * force));
        }
    }

    private static double Length(double x, double y) => Math.Sqrt((x * x) + (y * y));

    private static (double X, double Y)[] Fit((double X, double Y)[] places)
    {
        if (places.Length == 0)
            return [];
        (double left, double right) = (places.Min(place => place.X), places.Max(place => place.X));
        (double top, double bottom) = (places.Min(place => place.Y), places.Max(place => place.Y));
        return [.. places.Select(place => (Share(place.X, left, right), Share(place.Y, top, bottom)))];

        static double Share(double value, double low, double high) => high - low < 1e-6 ? 0.5 : (value - low) / (high - low);
    }
}
