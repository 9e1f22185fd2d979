using BenchmarkDotNet.Running;
using FastMesh.Bench;

// Without arguments all benchmarks in short, against budgets.json; `-- NAME` those whose name contains NAME; `--update` writes new budgets.
// `scaling` tells how much two shards carry more than one. `--full` and everything else is BenchmarkDotNet's: `--full --filter '*Shard*'`.
switch (args)
{
    case ["scaling", ..]:
        Scaling.Run();
        return 0;
    case ["--full", ..]:
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args.Length == 1 ? ["--filter", "*"] : args[1..]);
        return 0;
    default:
        bool update = args.Contains("--update");
        int failures = ShortRun.Run(args.FirstOrDefault(argument => !argument.StartsWith('-')) ?? "", update);
        Console.WriteLine(failures == 0 ? "All benchmarks are within their budgets." : $"{failures} benchmarks are not within their budgets.");
        return failures == 0 ? 0 : 1;
}
