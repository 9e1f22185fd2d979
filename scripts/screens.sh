#!/bin/bash
# screens.sh [DIRECTORY]: makes the pictures of the README (docs/screens) from a real mesh in network namespaces: alpha, beta and gamma
# run FastMesh, delta runs tincd 1.0, UDP between alpha and gamma is dropped, and something is downloaded. Needs root; installs the
# packages it uses that are missing, and removes all else it made.
set -euo pipefail
cd "$(dirname "$0")/.."
[ "$(id -u)" = 0 ] || { echo "screens.sh needs root: it makes network namespaces." >&2; exit 2; }
scripts/install-packages.sh fonts-dejavu-core >/dev/null

program=$(realpath artifacts/fastmesh/fastmesh)
out=$(realpath -m "${1:-docs/screens}")
work=$(mktemp -d /tmp/fastmesh-screens.XXXXXX)
tag=fmscreens$$
nodes=(alpha beta gamma delta)

clean_up() {
  exec 2>/dev/null # bash tells of every job that is killed
  for node in "${nodes[@]}" switch; do
    for pid in $(ip netns pids "$tag-$node" 2>/dev/null || true); do kill -9 "$pid" 2>/dev/null || true; done
    ip netns del "$tag-$node" 2>/dev/null || true
  done
  rm -rf "$work"
}
trap clean_up EXIT

# A server that sees its own /etc/tinc and /run, and has the program where it is installed.
on() {
  local node=$1
  shift
  PATH=$work/bin:$PATH ip netns exec "$tag-$node" sh -c '
    mount --bind "$0/etc-tinc" /etc/tinc; mount --bind "$0/run" /run; mount --bind "$0/../hosts" /etc/hosts
    exec "$@"' "$work/$node" "$@"
}

picture() { # NAME COLUMNSxROWS SECONDS COMMAND...: on alpha
  local name=$1 size=$2 seconds=$3
  shift 3
  on alpha scripts/screens.py "$out/$name.svg" "$size" "$seconds" "$@"
  echo "$out/$name.svg"
}

wait_for() { # SECONDS COMMAND...
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do
    if [ "$SECONDS" -ge "$end" ]; then echo "screens: did not happen: $*" >&2; exit 1; fi
    sleep 0.2
  done
}

mkdir -p "$out" "$work/bin" /etc/tinc
ln -s "$program" "$work/bin/fastmesh"
echo "127.0.0.1 localhost" >"$work/hosts"
ip netns add "$tag-switch"
ip -n "$tag-switch" link add br0 type bridge
ip -n "$tag-switch" link set br0 up
for i in 1 2 3 4; do
  node=${nodes[i - 1]} conf=$work/${nodes[i - 1]}/etc-tinc/master
  ip netns add "$tag-$node"
  ip link add eth0 netns "$tag-$node" type veth peer name "port$i" netns "$tag-switch"
  ip -n "$tag-switch" link set "port$i" master br0 up
  ip -n "$tag-$node" link set lo up
  ip -n "$tag-$node" addr add "192.0.2.$i/24" dev eth0
  ip -n "$tag-$node" link set eth0 up
  echo "192.0.2.$i $node.example.org" >>"$work/hosts"
  mkdir -p "$conf/hosts" "$work/$node/run"
  { echo "Name = $node"; case $node in beta | delta) echo "ConnectTo = alpha" ;; gamma) echo "ConnectTo = beta" ;; esac; } >"$conf/tinc.conf"
  printf 'Address = %s.example.org\nSubnet = 10.6.0.%s\n' "$node" "$i" >"$conf/hosts/$node"
  printf '#!/bin/sh\nip link set dev $INTERFACE up\nip addr add 10.6.0.%s/24 dev $INTERFACE\n' "$i" >"$conf/tinc-up"
  chmod +x "$conf/tinc-up"
  on "$node" fastmesh -n master -K 2048 </dev/null >/dev/null 2>&1
done
echo "MetricsAddress = 127.0.0.1:9655" >>"$work/alpha/etc-tinc/master/tinc.conf"
for from in "${nodes[@]}"; do
  for to in "${nodes[@]}"; do
    [ "$from" = "$to" ] || cp "$work/$from/etc-tinc/master/hosts/$from" "$work/$to/etc-tinc/master/hosts/"
  done
done

# A firewall lets no UDP through between alpha and gamma.
ip netns exec "$tag-gamma" nft -f - <<'end'
table inet filter {
  chain input { type filter hook input priority 0; ip saddr 192.0.2.1 udp dport 655 drop; }
  chain output { type filter hook output priority 0; ip daddr 192.0.2.1 udp dport 655 drop; }
}
end

for node in alpha beta gamma; do on "$node" fastmesh -n master --logfile="$work/$node/log"; done
on delta tincd -n master --logfile="$work/delta/log"
for i in 2 3 4; do wait_for 30 on alpha ping -c 1 -W 1 "10.6.0.$i"; done
(on alpha ping -q -i 0.2 10.6.0.3) >/dev/null 2>&1 &
(on alpha ping -q -i 0.2 10.6.0.4) >/dev/null 2>&1 &
(on beta iperf3 -s -B 10.6.0.2) >/dev/null 2>&1 &
wait_for 10 on alpha iperf3 -c 10.6.0.2 -t 1
(on alpha iperf3 -c 10.6.0.2 -R -b 250M -t 60) >/dev/null 2>&1 &
(on beta ping -q -i 0.2 10.6.0.3) >/dev/null 2>&1 &
sleep 15 # until paths are proven and rates are those of the traffic

picture status 118x40 10 fastmesh -n master status
picture top 118x14 5 fastmesh -n master top
picture why 118x40 10 fastmesh -n master why gamma
chromium --version >/dev/null && ip netns exec "$tag-alpha" chromium --headless --no-sandbox --hide-scrollbars --user-data-dir="$work/chromium" \
  --window-size=1280,1000 --virtual-time-budget=8000 --screenshot="$out/page.png" http://127.0.0.1:9655/ 2>/dev/null
echo "$out/page.png"

# What goes wrong in practice.
office=$work/alpha/etc-tinc/office
cp -r "$work/alpha/etc-tinc/master" "$office"
sed -i 's/^MetricsAddress.*/ConectTo = beta\nConnectTo = epsilon\nCipher = bf-cbc/' "$office/tinc.conf"
sed -i '/^Subnet/a Subnet = 10.6.0.2' "$office/hosts/gamma"
echo "Port = 656" >>"$office/hosts/alpha"
chmod -x "$office/tinc-up"
chmod 644 "$office/rsa_key.priv"
picture check 118x60 20 fastmesh -n office check || true
