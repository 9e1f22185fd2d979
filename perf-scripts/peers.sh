#!/bin/bash
# peers.sh: how each set-up of daemons is brought up in a network of its own. Sourced after lib.sh.
# shellcheck disable=SC2034,SC2154  # shared variables of the scripts that source this
#
# A set-up is named [MODIFIER,...:]KIND-KIND[-KIND[-KIND]], where a KIND is fastmesh, fastmesh10 (FastMesh as a plain tinc 1.0
# node), before (the FastMesh program $BEFORE, say of the commit before), tincd (1.0) or tinc11 (1.1); or it is wireguard-go, openvpn, nebula, fastd, or plain, the cable without a VPN.
#   2 nodes   left ── right
#   3 nodes   left ── middle ── right       a line: left and right have no other way
#   4 nodes   first, second, third and fourth on one switch; the meta connections are a star, the data goes directly
# Inside the VPN the nodes are 10.77.0.1, 10.77.0.2, ... in this order. MODIFIER: "switch" is Mode = switch, "metrics" has every FastMesh
# node serve metrics and be scraped once a second, anything else becomes a flag of the FastMesh nodes: workers=2, io=uring, no-offload. The lines of $SETTINGS (separated by ;) are added to every tinc.conf.
declare -A net_of=() names_of=() daemons_of=() target_of=()

use() { # SETUP: makes it the one that on, start, $names, $daemons and $target mean
  net=${net_of[$1]} target=${target_of[$1]}
  read -ra names <<<"${names_of[$1]}"
  read -ra daemons <<<"${daemons_of[$1]}"
  near=${names[0]} far=${names[-1]}
}

bring_up() { # SETUP: returns 1 if it does not come up
  local setup=$1 status=0
  net=n${#net_of[@]} names=(left right) daemons=() target=10.77.0.2
  net_of[$setup]=$net
  case $setup in
    plain | wireguard-go | openvpn | nebula | fastd)
      two_hosts
      "setup_${setup//-/_}" || status=1 ;;
    *) setup_tinc "$setup" || status=1 ;;
  esac
  target_of[$setup]=$target names_of[$setup]=${names[*]} daemons_of[$setup]=${daemons[*]}
  if [ "$status" = 0 ]; then wait_for 20 "the first ping" on "${names[0]}" ping -n -c 1 -W 1 "$target" || status=1; fi
  if [ "$status" != 0 ] && [ "${#daemons[@]}" -gt 0 ]; then stop "${daemons[@]}"; fi
  return "$status"
}

available() { # SETUP: whether its programs are installed
  local kind
  case $1 in
    plain) return 0 ;;
    wireguard-go) [ -x "$wireguard" ] && command -v wg >/dev/null; return ;;
    openvpn | nebula | fastd) command -v "$1" >/dev/null; return ;;
  esac
  for kind in $(tr - ' ' <<<"${1##*:}"); do [ -x "$(program_of "$kind")" ] || return 1; done
}

program_of() { # KIND
  case $1 in
    tincd) echo "$tincd" ;;
    tinc11) echo "$tinc11/tincd" ;;
    fastmesh | fastmesh10) echo "$fastmesh" ;;
    before) echo "$before" ;;
    *) fail "unknown daemon $1" ;;
  esac
}

two_hosts() {
  host left right
  cable left 192.0.2.1/24 right 192.0.2.2/24
}

setup_tinc() { # SETUP
  local modifier modifiers="" settings=${SETTINGS:-} generation=1.0 scraped="" hub order i
  local -a kinds flags=()
  if [[ $1 = *:* ]]; then modifiers=${1%%:*}; fi
  for modifier in ${modifiers//,/ }; do
    case $modifier in
      switch) settings="$settings;Mode = switch" ;;
      metrics) settings="$settings;MetricsAddress = 127.0.0.1:9655" scraped=yes ;;
      *) flags+=("--$modifier") ;;
    esac
  done
  if [[ $1 = *tinc11* ]]; then generation=1.1; fi
  IFS=- read -ra kinds <<<"${1##*:}"
  case ${#kinds[@]} in
    2) names=(left right) hub=1 order="1 0"; two_hosts ;;
    3) names=(left middle right) hub=1 order="1 0 2"
       host left middle right
       cable left 192.0.2.1/24 middle 192.0.2.2/24
       cable middle 198.51.100.2/24 right 198.51.100.3/24 ;;
    4) names=(first second third fourth) hub=0 order="0 1 2 3"
       host switch "${names[@]}"
       ip -n "$tag-$net-switch" link add br0 type bridge
       ip -n "$tag-$net-switch" link set br0 up
       for i in $order; do
         cable switch - "${names[i]}" "192.0.2.$((i + 1))/24"
         ip -n "$tag-$net-switch" link set "to-${names[i]}" master br0
       done ;;
    *) fail "a set-up has 2 to 4 nodes: $1" ;;
  esac
  target=10.77.0.${#kinds[@]}
  for i in $order; do node_directory "$i" "${kinds[i]}" "$generation" "$hub" "$settings" || return 1; done
  for i in $order; do
    cp "$work/$net"/*/hosts-own/* "$work/$net/${names[i]}/hosts/"
    start_node "$i" "${kinds[i]}" "${flags[@]}" || return 1
    if [ -n "$scraped" ] && [[ ${kinds[i]} = fastmesh* ]]; then scrape "${names[i]}" || return 1; fi
  done
}

scrape() { # HOST: what Prometheus does, once a second
  # shellcheck disable=SC2016  # the inner shell expands
  start "$1" "$work/$net/log-scraper" bash -c 'while sleep 1; do
    exec 3<>/dev/tcp/127.0.0.1/9655
    printf "GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n" >&3
    cat <&3 >"$0"
    exec 3>&-
  done' "$work/$net/$1/scraped"
  wait_for 10 "a scrape of $1" grep -q '^# EOF' "$work/$net/$1/scraped"
}

start_node() { # INDEX KIND FLAG...: the flags are for FastMesh only
  local index=$1 kind=$2 directory=$work/$net/${names[$1]}
  shift 2
  if [ "$kind" = tincd ] || [ "$kind" = tinc11 ]; then set --; fi
  start "${names[index]}" "$directory/log" "$(program_of "$kind")" -n vpn -c "$directory" "--pidfile=$directory/pid" -D -d1 "$@"
  daemons[index]=$last
  wait_for 20 "the start of ${names[index]}" grep -q '^Ready' "$directory/log"
}

node_directory() { # INDEX KIND GENERATION HUB SETTINGS: 1.0 has RSA keys, 1.1 Ed25519 keys as well
  local name=${names[$1]} directory=$work/$net/${names[$1]} keys=$work/keys-$3/${names[$1]}
  if [ ! -e "$keys" ]; then make_keys "$keys" "$name" "$3" || return 1; fi
  mkdir -p "$directory/hosts" "$directory/hosts-own"
  cp "$keys"/*.priv "$directory/"
  {
    echo "Name = $name"
    if [ "$1" != "$4" ]; then echo "ConnectTo = ${names[$4]}"; fi
    if [ "$2" = fastmesh10 ]; then echo "ExperimentalProtocol = no"; fi
    if [ "$3" = 1.1 ]; then echo "AutoConnect = no"; fi
    tr ';' '\n' <<<"$5"
  } >"$directory/tinc.conf"
  {
    on "$name" ip -o -4 addr show scope global | sed -n 's,.* inet \([0-9.]*\)/.*,Address = \1,p'
    echo "Subnet = 10.77.0.$(($1 + 1))"
    cat "$keys/hosts/$name"
  } >"$directory/hosts-own/$name"
  # shellcheck disable=SC2016  # the daemon sets INTERFACE
  printf '#!/bin/sh\nip link set dev $INTERFACE up\nip addr add 10.77.0.%s/24 dev $INTERFACE\n' "$(($1 + 1))" >"$directory/tinc-up"
  chmod +x "$directory/tinc-up"
}

make_keys() { # DIRECTORY NAME GENERATION: once for each name and generation, whatever number of set-ups there is
  mkdir -p "$1/hosts"
  echo "Name = $2" >"$1/tinc.conf"
  : >"$1/hosts/$2"
  "$tincd" -c "$1" -K 2048 </dev/null >/dev/null 2>&1 || return 1
  if [ "$3" = 1.1 ]; then "$tinc11/tinc" --batch -c "$1" generate-ed25519-keys </dev/null >/dev/null 2>&1; fi
}

setup_plain() { target=192.0.2.2; }

setup_wireguard_go() {
  local side other number=0 device
  for side in left right; do
    (umask 077 && wg genkey >"$work/$net/$side.key")
    wg pubkey <"$work/$net/$side.key" >"$work/$net/$side.pub"
  done
  for side in left right; do
    # The names are unique on the machine, because the control sockets lie in a directory that the hosts share.
    number=$((number + 1)) other=$([ "$side" = left ] && echo right || echo left) device=wg$number.$$
    start "$side" "$work/$net/log-$side" env LOG_LEVEL=error "$wireguard" -f "$device"
    daemons+=("$last")
    wait_for 10 "the interface of wireguard-go" on "$side" ip link show "$device" || return 1
    wait_for 10 "the control socket of wireguard-go" on "$side" wg set "$device" listen-port 51820 private-key "$work/$net/$side.key" \
      peer "$(cat "$work/$net/$other.pub")" allowed-ips "10.77.0.$((3 - number))/32" endpoint "192.0.2.$((3 - number)):51820" || return 1
    on "$side" ip addr add "10.77.0.$number/24" dev "$device"
    on "$side" ip link set "$device" up mtu 1420
  done
}

setup_openvpn() {
  local side
  for side in left right; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj "/CN=$side" \
      -keyout "$work/$net/$side.key" -out "$work/$net/$side.pem" 2>/dev/null || return 1
  done
  cat "$work/$net"/*.pem >"$work/$net/ca"
  local common=(--dev ovpn --dev-type tun --proto udp --ca "$work/$net/ca" --cipher AES-256-GCM --data-ciphers AES-256-GCM --verb 1)
  start right "$work/$net/log-right" openvpn "${common[@]}" --tls-server --dh none --cert "$work/$net/right.pem" --key "$work/$net/right.key" \
    --ifconfig 10.77.0.2 10.77.0.1
  daemons=("$last")
  start left "$work/$net/log-left" openvpn "${common[@]}" --tls-client --remote 192.0.2.2 --cert "$work/$net/left.pem" --key "$work/$net/left.key" \
    --ifconfig 10.77.0.1 10.77.0.2
  daemons+=("$last")
}

setup_nebula() {
  local side ca=$work/$net/ca number=0
  nebula-cert ca -name compare -out-crt "$ca.crt" -out-key "$ca.key" || return 1
  for side in left right; do
    number=$((number + 1))
    nebula-cert sign -name "$side" -ip "10.77.0.$number/24" -ca-crt "$ca.crt" -ca-key "$ca.key" \
      -out-crt "$work/$net/$side.crt" -out-key "$work/$net/$side.key" || return 1
  done
  for side in right left; do
    cat >"$work/$net/$side.yml" <<YML
pki: { ca: $ca.crt, cert: $work/$net/$side.crt, key: $work/$net/$side.key }
static_host_map: { "10.77.0.1": ["192.0.2.1:4242"], "10.77.0.2": ["192.0.2.2:4242"] }
lighthouse: { am_lighthouse: $([ "$side" = right ] && echo true || echo false), hosts: [$(if [ "$side" = left ]; then echo '"10.77.0.2"'; fi)] }
listen: { host: 0.0.0.0, port: 4242 }
tun: { dev: nebula, mtu: 1300 }
logging: { level: warning, format: text }
firewall:
  outbound: [{ port: any, proto: any, host: any }]
  inbound: [{ port: any, proto: any, host: any }]
YML
    start "$side" "$work/$net/log-$side" nebula -config "$work/$net/$side.yml"
    daemons+=("$last")
  done
}

setup_fastd() {
  local side number=0 other
  for side in left right; do fastd --generate-key >"$work/$net/$side.key" 2>/dev/null || return 1; done
  for side in left right; do
    number=$((number + 1)) other=$([ "$side" = left ] && echo right || echo left)
    cat >"$work/$net/$side.conf" <<CONF
mode tun;
interface "fastd";
method "salsa2012+umac";
mtu 1400;
bind any port 10000;
secret "$(sed -n 's/^Secret: //p' "$work/$net/$side.key")";
on up "ip addr add 10.77.0.$number/24 dev fastd; ip link set fastd up";
peer "$other" { key "$(sed -n 's/^Public: //p' "$work/$net/$other.key")"; remote 192.0.2.$((3 - number)) port 10000; }
CONF
    start "$side" "$work/$net/log-$side" fastd -c "$work/$net/$side.conf"
    daemons+=("$last")
  done
}
