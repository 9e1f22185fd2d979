#!/bin/sh
# publish.sh DIRECTORY: makes the program. As a rule one native file, DIRECTORY/fastmesh, with its symbols in DIRECTORY/.debug, where
# gdb and perf look for them; nothing else is needed where it runs. AOT=no makes the assemblies for servers that have the .NET 10 runtime
# instead. AOT=auto, the default, does that too if the native compiler's package or a linker (gcc or clang) is not to be had, and says so;
# AOT=yes fails then. CONFIGURATION, RID: as for dotnet.
set -eu
cd "$(dirname "$0")/.."

directory=$1 aot=${AOT:-auto} configuration=${CONFIGURATION:-Release} rid=${RID:-linux-x64}
project=src/FastMesh.Cli

scripts/require-dotnet.sh
lacking=""
if [ "$aot" != no ]; then
  if ! command -v clang >/dev/null && ! command -v gcc >/dev/null; then
    lacking="a linker: install gcc"
  elif ! output=$(dotnet restore "$project" -r "$rid" -p:PublishAot=true -v quiet --nologo); then
    case $output in
      *ILCompiler*) lacking="the package Microsoft.DotNet.ILCompiler, which the NuGet registry does not serve" ;;
      *) echo "$output" >&2; exit 1 ;;
    esac
  fi
  if [ -n "$lacking" ]; then
    if [ "$aot" = yes ]; then echo "publish.sh: a native program needs $lacking" >&2; exit 1; fi
    echo "publish.sh: a native program needs $lacking. Made instead: assemblies that need the .NET 10 runtime." >&2
    aot=no
  fi
fi

rm -rf "$directory" # also because a running program's file cannot be written to
if [ "$aot" = no ]; then
  dotnet publish "$project" -c "$configuration" -r "$rid" --self-contained false -p:PublishReadyToRun=true -o "$directory" -v quiet --nologo
else
  dotnet publish "$project" -c "$configuration" -r "$rid" --no-restore -p:PublishAot=true -o "$directory" -v quiet --nologo
  mkdir -p "$directory/.debug"
  cp "$project/bin/$configuration/net10.0/$rid/native/fastmesh.dbg" "$directory/.debug/"
fi
rm -f "$directory"/*.pdb
