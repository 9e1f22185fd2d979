#!/bin/sh
# Says what to do when the .NET SDK that global.json asks for is not there. Debian has no package of it.
command -v dotnet >/dev/null 2>&1 || {
  echo "FastMesh needs the .NET 10 SDK and found no 'dotnet'." >&2
  echo "Install it as https://learn.microsoft.com/dotnet/core/install/linux-debian describes (package dotnet-sdk-10.0)." >&2
  exit 1
}
cd "$(dirname "$0")/.." || exit 1
dotnet --version >/dev/null || {
  echo "The .NET SDK here does not satisfy global.json (version 10.0.100 or a later 10.0 release)." >&2
  exit 1
}
