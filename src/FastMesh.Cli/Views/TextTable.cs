namespace FastMesh.Cli.Views;

/// <summary>A column of a table.</summary>
/// <param name="Title">What stands above it.</param>
/// <param name="IsNumber">Whether it is aligned to the right.</param>
/// <param name="Least">Characters that it is cut to at most when there is too little room; 0: it is never cut.</param>
internal sealed record TextColumn(string Title, bool IsNumber = false, int Least = 0);

/// <summary>Lays out rows of text in columns that fit a width.</summary>
/// <param name="columns">The columns.</param>
internal sealed class TextTable(params TextColumn[] columns)
{
    private const string Gap = "  ";
    private readonly List<(string[] Cells, Func<string, string> Style)> _rows = [];

    /// <summary>Appends a row.</summary>
    /// <param name="style">What to do with the finished line, such as to colour it.</param>
    /// <param name="cells">One text per column.</param>
    public void Add(Func<string, string> style, params string[] cells) => _rows.Add((cells, style));

    /// <summary>The title line and the rows, no longer than <paramref name="width"/> if cutting columns makes that possible.</summary>
    public IEnumerable<string> Lines(int width)
    {
        int[] widths = [.. columns.Select((column, i) => _rows.Select(row => row.Cells[i].Length).Append(column.Title.Length).Max())];
        for (int excess = widths.Sum() + (Gap.Length * (widths.Length - 1)) - width; excess > 0; excess--)
        {
            int widest = Enumerable.Range(0, widths.Length).Where(i => columns[i].Least > 0 && widths[i] > columns[i].Least)
                .OrderByDescending(i => widths[i]).FirstOrDefault(-1);
            if (widest < 0)
                break;
            widths[widest]--;
        }

        yield return Line([.. columns.Select(column => column.Title)], widths);
        foreach ((string[] cells, Func<string, string> style) in _rows)
            yield return style(Line(cells, widths));
    }

    private string Line(string[] cells, int[] widths) => string.Join(Gap, cells.Select((cell, i) =>
    {
        string text = cell.Length <= widths[i] ? cell : cell[..(widths[i] - 1)] + "…";
        return columns[i].IsNumber ? text.PadLeft(widths[i]) : text.PadRight(widths[i]);
    })).TrimEnd();
}
