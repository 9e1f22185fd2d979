using BenchmarkDotNet.Running;

// Without arguments it asks which; `--filter '*'` runs all.
BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(args);
