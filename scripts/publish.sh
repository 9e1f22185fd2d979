#!/bin/sh
# publish.sh DIRECTORY: makes the program. As a rule one native file, DIRECTORY/fastmesh, with its symbols in DIRECTORY/.debug, where
# gdb and perf look for them; nothing else is needed where it runs. On x86-64 it is made once more for processors with AVX2 and with AVX-512, in
# DIRECTORY/x86-64-v3 and -v4: the daemon goes on as the one its processor is good for. AOT=no makes the assemblies for servers that have the .NET 10 runtime
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
  # native DIRECTORY LEVEL [OPTION]: the program for that level of processors.
  native() {
    output=bin/$configuration/net10.0/$rid/native-$2
    dotnet publish "$project" -c "$configuration" -r "$rid" --no-restore -p:PublishAot=true -o "$1" -v quiet --nologo \
      -p:NativeOutputPath="$output/" -p:NativeIntermediateOutputPath="obj/$output/" ${3:+"$3"}
    mkdir -p "$1/.debug"
    cp "$project/$output/fastmesh.dbg" "$1/.debug/"
  }
  native "$directory" base
  if [ "$rid" = linux-x64 ]; then
    for level in x86-64-v3 x86-64-v4; do native "$directory/$level" "$level" "-p:IlcInstructionSet=$level"; done
  fi
fi
find "$directory" -name "*.pdb" -delete
