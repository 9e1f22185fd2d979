using System.Runtime.CompilerServices;

// Stack memory is not zeroed on entry: no method here reads what it has not written.
[module: SkipLocalsInit]
