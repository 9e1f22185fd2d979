#!/bin/sh
# entrypoint.sh: makes the configuration of a node the first time, then runs it.
#   NODE     its name
#   ADDRESS  its address inside the mesh, such as 10.77.0.1
#   HUB      the node to connect to; empty: none
#   NODES    all nodes
# Nodes find each other's host files in /hosts, a volume that all share; a real mesh would use "invite" and "join" instead.
set -eu

directory=/etc/tinc/mesh
if [ ! -e "$directory/tinc.conf" ]; then
  fastmesh -n mesh init "$NODE"
  [ -z "${HUB:-}" ] || echo "ConnectTo = $HUB" >>"$directory/tinc.conf"
  printf 'Address = %s\nSubnet = %s/32\n' "$NODE" "$ADDRESS" >>"$directory/hosts/$NODE"
  printf '#!/bin/sh\nip addr add %s/24 dev $INTERFACE\nip link set $INTERFACE up\n' "$ADDRESS" >"$directory/tinc-up"
  chmod +x "$directory/tinc-up"
fi

cp "$directory/hosts/$NODE" /hosts/
for node in $NODES; do
  until [ -e "/hosts/$node" ]; do sleep 1; done
  cp "/hosts/$node" "$directory/hosts/"
done
exec fastmesh -n mesh -D
