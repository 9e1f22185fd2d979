#!/bin/bash
# private-apt.sh: defines private_apt, which is apt-get with lists and caches in $work only, so that apt's configuration and dpkg's
# database stay as they are. Sourced with $work set: . private-apt.sh SUITE...  DEBIAN_MIRROR: another mirror than deb.debian.org.
# shellcheck disable=SC2154  # work is the caller's
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
mkdir -p "$work"/{lists,cache}
for suite in "$@"; do
  printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "${DEBIAN_MIRROR:-http://deb.debian.org/debian}" "$suite"
done >"$work/sources.list"
chmod -R a+rX "$work"

private_apt() {
  apt-get -q -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
    -o Dir::State::Lists="$work/lists" -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root \
    -o Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false "$@"
}
