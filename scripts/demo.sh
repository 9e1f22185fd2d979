#!/bin/bash
# demo.sh: three servers in network namespaces, set up by hand as the tutorials do it (switch mode, keys by -K,
# host files copied, tinc-up with ifconfig or ip), then pings between all pairs, one iperf3 run, and a table.
# FASTMESH=/usr/sbin/tincd runs the same demo with the reference daemon. Needs root; removes all it made.
#
#   first  192.0.2.1 ──┐
#   second 192.0.2.2 ──┼── bridge           inside: 10.6.0.1, 10.6.0.2, 10.6.0.3 / 16
#   third  192.0.2.3 ──┘
set -euo pipefail
cd "$(dirname "$0")/.."

program=$(realpath "${FASTMESH:-artifacts/fastmesh/fastmesh}")
net=master
names=(first second third)
work=$(mktemp -d /tmp/fastmesh-demo.XXXXXX)
tag=fmdemo$$
made_etc_tinc=""

fail() { echo "demo: $*" >&2; exit 1; }

# Every server sees its own /etc/tinc, /run and /etc/hosts, as if it were a machine of its own.
on() {
  local name=$1
  shift
  ip netns exec "$tag-$name" sh -c '
    mount --bind "$0/etc-tinc" /etc/tinc; mount --bind "$0/run" /run; mount --bind "$0/../hosts" /etc/hosts
    exec "$@"' "$work/$name" "$@"
}

say() { printf '\n\033[1m%s\033[0m\n' "$*"; }

clean_up() {
  local status=$?
  if [ "$status" != 0 ]; then
    tail -n 20 "$work"/*/log 2>/dev/null || true
  fi
  for name in "${names[@]}" switch; do
    for pid in $(ip netns pids "$tag-$name" 2>/dev/null || true); do kill -9 "$pid" 2>/dev/null || true; done
    ip netns del "$tag-$name" 2>/dev/null || true
  done
  rm -rf "$work"
  if [ -n "$made_etc_tinc" ]; then rmdir /etc/tinc; fi
}

wait_for() { # SECONDS WHAT COMMAND...
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || fail "$what did not happen"
    sleep 0.1
  done
}

[ "$(id -u)" = 0 ] || fail "network namespaces need root: sudo make demo"
[ -x "$program" ] || fail "no program at $program: run make build, or set FASTMESH"
scripts/install-packages.sh
trap clean_up EXIT
if [ ! -d /etc/tinc ]; then mkdir /etc/tinc; made_etc_tinc=yes; fi

say "Three servers on one network"
ip netns add "$tag-switch"
ip -n "$tag-switch" link add br0 type bridge
ip -n "$tag-switch" link set br0 up
echo "127.0.0.1 localhost" >"$work/hosts"
for i in 1 2 3; do
  name=${names[i - 1]}
  ip netns add "$tag-$name"
  ip link add eth0 netns "$tag-$name" type veth peer name "port$i" netns "$tag-switch"
  ip -n "$tag-switch" link set "port$i" master br0 up
  ip -n "$tag-$name" link set lo up
  ip -n "$tag-$name" addr add "192.0.2.$i/24" dev eth0
  ip -n "$tag-$name" link set eth0 up
  echo "192.0.2.$i $name.example" >>"$work/hosts"
  echo "  $name.example  192.0.2.$i"
done

say "Configuration in /etc/tinc/$net, keys by '$(basename "$program") -n $net -K 2048'"
for i in 1 2 3; do
  name=${names[i - 1]}
  conf=$work/$name/etc-tinc/$net
  mkdir -p "$conf/hosts" "$work/$name/run"
  {
    echo "Name = $name"
    echo "AddressFamily = any"
    echo "Device = /dev/net/tun"
    echo "Mode = switch"
    if [ "$i" != 1 ]; then echo "ConnectTo = first"; fi
  } >"$conf/tinc.conf"
  {
    echo "Address = $name.example"
    echo "Subnet = 10.$i.0.0/16"
  } >"$conf/hosts/$name"
  if [ "$i" = 1 ]; then
    printf '#!/bin/sh\nifconfig $INTERFACE 10.6.0.1 netmask 255.255.0.0\n' >"$conf/tinc-up"
  else
    printf '#!/bin/sh\nip link set dev $INTERFACE up\nip addr add 10.6.0.%s/16 dev $INTERFACE\n' "$i" >"$conf/tinc-up"
  fi
  printf '#!/bin/sh\nip link set dev $INTERFACE down\n' >"$conf/tinc-down"
  chmod +x "$conf/tinc-up" "$conf/tinc-down"
  on "$name" "$program" -n "$net" -K 2048 </dev/null >"$work/$name/keys" 2>&1 || { cat "$work/$name/keys"; fail "no keys for $name"; }
done
for from in "${names[@]}"; do
  for to in "${names[@]}"; do
    if [ "$from" != "$to" ]; then cp "$work/$from/etc-tinc/$net/hosts/$from" "$work/$to/etc-tinc/$net/hosts/"; fi
  done
done
sed 's/^/  /' "$work/second/etc-tinc/$net/tinc.conf"

say "Start: $(basename "$program") -n $net"
for name in "${names[@]}"; do on "$name" "$program" -n "$net" -d2 --logfile="$work/$name/log"; done
for i in 1 2 3; do
  for j in 1 2 3; do
    wait_for 30 "the first ping from ${names[i - 1]} to 10.6.0.$j" on "${names[i - 1]}" ping -n -c 1 -W 1 "10.6.0.$j"
  done
done
for name in "${names[@]}"; do echo "  $name: pid $(head -n 1 "$work/$name/run/tinc.$net.pid")"; done

say "Results"
printf '  %-8s %-8s %12s %20s\n' from to "lost of 20" "round trip, ms"
failed=""
for i in 1 2 3; do
  for j in 1 2 3; do
    if [ "$i" = "$j" ]; then continue; fi
    report=$(on "${names[i - 1]}" ping -n -q -c 20 -i 0.05 -W 1 "10.6.0.$j" || true)
    received=$(sed -n 's/.* \([0-9]*\) received.*/\1/p' <<<"$report")
    average=$(sed -n 's,^rtt .* = [^/]*/\([^/]*\)/.*,\1,p' <<<"$report")
    printf '  %-8s %-8s %12s %20s\n' "${names[i - 1]}" "${names[j - 1]}" "$((20 - received))" "${average:--}"
    if [ "$received" != 20 ]; then failed=yes; fi
  done
done
on first iperf3 -s -1 -B 10.6.0.1 >/dev/null &
wait_for 10 "iperf3 listening" on first sh -c 'ss -Hltn sport = 5201 | grep -q .'
on second iperf3 -c 10.6.0.1 -t 3 -f m >"$work/iperf"
printf '  iperf3, one TCP stream, second to first: %s Mbit/s\n' "$(awk '/receiver/ { print $7 }' "$work/iperf")"

say "Stop: $(basename "$program") -n $net -k"
for name in "${names[@]}"; do on "$name" "$program" -n "$net" -k; done
for name in "${names[@]}"; do wait_for 10 "the end of $name" test ! -e "$work/$name/run/tinc.$net.pid"; done
[ -z "$failed" ] || fail "packets were lost"
echo "  done in $SECONDS s"
