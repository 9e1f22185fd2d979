#!/bin/bash
# peers.sh: how each pair of daemons is set up between the two hosts of lib.sh. Sourced by compare.sh.
# A set-up leaves the pids in daemons=(...) and the address of the right end in $target, and returns the status of settle.
# shellcheck disable=SC2034  # daemons and target are read by the caller

available_peers() {
  local list="plain"
  if [ -x "$fastmesh" ]; then list="$list fastmesh-fastmesh fastmesh-tincd"; fi
  list="$list tincd-tincd"
  if [ -x "$tinc11/tincd" ]; then
    if [ -x "$fastmesh" ]; then list="$list fastmesh-tinc11"; fi
    list="$list tinc11-tinc11"
  fi
  local peer
  for peer in wireguard-go openvpn nebula fastd; do
    if command -v "$peer" >/dev/null; then list="$list $peer"; fi
  done
  echo "$list"
}

setup_of() { # PAIR: the function that brings it up
  case $1 in
    fastmesh*-* | tincd-* | tinc11-*) echo setup_tinc ;;
    plain | wireguard-go | openvpn | nebula | fastd) echo "setup_${1//-/_}" ;;
    *) fail "unknown pair $1" ;;
  esac
}

setup_tinc() { tinc_pair "${1%-*}" "${1#*-}"; }

setup_plain() { target=192.0.2.2; }

setup_wireguard_go() {
  command -v wg >/dev/null || { fail "wireguard-go needs wg (package wireguard-tools)"; return 1; }
  local side other number=0 device
  for side in left right; do
    (umask 077 && wg genkey >"$work/wg-$side")
    wg pubkey <"$work/wg-$side" >"$work/wg-$side.pub"
  done
  daemons=()
  for side in left right; do
    # The names are unique on the machine, because the control sockets lie in a directory that the hosts share.
    number=$((number + 1)) other=$([ "$side" = left ] && echo right || echo left) device=wg$number.$$
    start "$side" "$work/log-wireguard-$side" env LOG_LEVEL=error wireguard-go -f "$device"
    daemons+=("$last")
    wait_for 10 "the interface of wireguard-go" on "$side" ip link show "$device"
    wait_for 10 "the control socket of wireguard-go" on "$side" wg set "$device" listen-port 51820 private-key "$work/wg-$side" \
      peer "$(cat "$work/wg-$other.pub")" allowed-ips "10.77.0.$((3 - number))/32" endpoint "192.0.2.$((3 - number)):51820"
    on "$side" ip addr add "10.77.0.$number/24" dev "$device"
    on "$side" ip link set "$device" up mtu 1420
  done
  SETTLE=1 settle
}

setup_openvpn() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=left -keyout "$work/left.key" -out "$work/left.pem" 2>/dev/null
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=right -keyout "$work/right.key" -out "$work/right.pem" 2>/dev/null
  cat "$work/left.pem" "$work/right.pem" >"$work/ca.pem"
  local common=(--dev ovpn --dev-type tun --proto udp --ca "$work/ca.pem" --cipher AES-256-GCM --data-ciphers AES-256-GCM --verb 1)
  start right "$work/log-openvpn-right" openvpn "${common[@]}" --tls-server --dh none --cert "$work/right.pem" --key "$work/right.key" --ifconfig 10.77.0.2 10.77.0.1
  daemons=("$last")
  start left "$work/log-openvpn-left" openvpn "${common[@]}" --tls-client --remote 192.0.2.2 --cert "$work/left.pem" --key "$work/left.key" --ifconfig 10.77.0.1 10.77.0.2
  daemons+=("$last")
  SETTLE=1 settle
}

setup_nebula() {
  command -v nebula-cert >/dev/null || { fail "nebula needs nebula-cert"; return 1; }
  if [ ! -e "$work/nebula-ca.crt" ]; then
    nebula-cert ca -name compare -out-crt "$work/nebula-ca.crt" -out-key "$work/nebula-ca.key"
    nebula-cert sign -name left -ip 10.77.0.1/24 -ca-crt "$work/nebula-ca.crt" -ca-key "$work/nebula-ca.key" -out-crt "$work/nebula-left.crt" -out-key "$work/nebula-left.key"
    nebula-cert sign -name right -ip 10.77.0.2/24 -ca-crt "$work/nebula-ca.crt" -ca-key "$work/nebula-ca.key" -out-crt "$work/nebula-right.crt" -out-key "$work/nebula-right.key"
  fi
  local side
  daemons=()
  for side in right left; do
    cat >"$work/nebula-$side.yml" <<YML
pki: { ca: $work/nebula-ca.crt, cert: $work/nebula-$side.crt, key: $work/nebula-$side.key }
static_host_map: { "10.77.0.1": ["192.0.2.1:4242"], "10.77.0.2": ["192.0.2.2:4242"] }
lighthouse: { am_lighthouse: $([ "$side" = right ] && echo true || echo false), hosts: [$([ "$side" = left ] && echo '"10.77.0.2"' || true)] }
listen: { host: 0.0.0.0, port: 4242 }
tun: { dev: nebula, mtu: 1300 }
logging: { level: warning, format: text }
firewall:
  outbound: [{ port: any, proto: any, host: any }]
  inbound: [{ port: any, proto: any, host: any }]
YML
    start "$side" "$work/log-nebula-$side" nebula -config "$work/nebula-$side.yml"
    daemons+=("$last")
  done
  SETTLE=1 settle
}

setup_fastd() {
  local side number=0 other
  for side in left right; do fastd --generate-key >"$work/fastd-$side" 2>/dev/null; done
  daemons=()
  for side in left right; do
    number=$((number + 1)) other=$([ "$side" = left ] && echo right || echo left)
    cat >"$work/fastd-$side.conf" <<CONF
mode tun;
interface "fastd";
method "salsa2012+umac";
mtu 1400;
bind any port 10000;
secret "$(sed -n 's/^Secret: //p' "$work/fastd-$side")";
on up "ip addr add 10.77.0.$number/24 dev fastd; ip link set fastd up";
peer "$other" { key "$(sed -n 's/^Public: //p' "$work/fastd-$other")"; remote 192.0.2.$((3 - number)) port 10000; }
CONF
    start "$side" "$work/log-fastd-$side" fastd -c "$work/fastd-$side.conf"
    daemons+=("$last")
  done
  SETTLE=1 settle
}
