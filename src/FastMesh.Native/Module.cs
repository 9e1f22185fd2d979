using System.Runtime.CompilerServices;

// Buffers of a call are written before they are read; zeroing them first would cost more than some of the calls.
[module: SkipLocalsInit]
