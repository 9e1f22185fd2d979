#!/bin/bash
# deb-test.sh SUITE [prepare]: in a root of a Debian release (bookworm, trixie) under its own systemd, where tincd runs a net as a service: installs the
# packages of this checkout, runs the demo with the installed program, adopts and reverts a net, lets one run with the journal and with a log file, and its
# watchdog bite, puts fastmesh-tincd in tinc's place, upgrades, removes, purges. After each step the services must be as an administrator expects, and /etc/tinc as it was.
# "prepare" makes the root and the packages, nothing more. Needs root, and the program that "make build" made. Roots are made with debootstrap the first time and kept in INSTALL_ROOTS (default
# /var/cache/fastmesh); a run works in a layer above one, in namespaces of its own, so nothing of it stays.
set -euo pipefail
cd "$(dirname "$0")/.."

suite=$1 base=${INSTALL_ROOTS:-/var/cache/fastmesh}/packages-$1
packages=systemd,dbus,libsodium23,zlib1g,liblz4-1,liblzo2-2,iproute2,net-tools,tinc
case $suite in
  bookworm) packages=$packages,libssl3,libipsec-mb1 ;;
  *) packages=$packages,libssl3t64,libipsec-mb2 ;;
esac
later=0.1.0-1+later

fail() {
  echo "deb-test.sh $suite: $*" >&2
  if [ -n "${init:-}" ]; then in_root journalctl --no-pager -n 30 >&2 || true; fi
  exit 1
}

# Outside: the root and both versions of the packages; then once more in a mount namespace.
if [ -z "${FASTMESH_DEB_TEST:-}" ]; then
  [ "$(id -u)" = 0 ] || { echo "deb-test.sh needs root: it changes the root directory." >&2; exit 2; }
  if [ ! -e "$base/.complete" ]; then
    rm -rf "$base"
    mkdir -p "$base"
    debootstrap --variant=minbase --include="$packages" "$suite" "$base" >"$base.log" 2>&1 || { tail -n 20 "$base.log" >&2; exit 1; }
    for unit in systemd-sysctl systemd-logind systemd-tmpfiles-setup systemd-update-utmp console-getty; do ln -sf /dev/null "$base/etc/systemd/system/$unit.service"; done
    touch "$base/.complete"
  fi
  work=$(mktemp -d /tmp/fastmesh-deb-test.XXXXXX)
  trap 'rm -rf "$work"' EXIT
  made=artifacts/deb-test
  if [ -z "$(find $made/.complete -newer artifacts/fastmesh/fastmesh 2>/dev/null)" ] || [ -n "$(find debian dist docs scripts/deb.sh Makefile -newer $made/.complete)" ]; then
    rm -rf $made
    scripts/deb.sh $made >/dev/null
    PACKAGE_VERSION=$later scripts/deb.sh $made/later >/dev/null
    touch $made/.complete
  fi
  if [ "${2:-}" = prepare ]; then exit; fi
  cp -r $made "$work/debs"
  FASTMESH_DEB_TEST=$work unshare --mount --propagation private "$0" "$suite"
  exit
fi

work=$FASTMESH_DEB_TEST
root=$work/root
mkdir "$work/layer" "$root" "$work/bin"
mount -t tmpfs layer "$work/layer"
mkdir "$work/layer/upper" "$work/layer/work"
mount -t overlay overlay -o "lowerdir=$base,upperdir=$work/layer/upper,workdir=$work/layer/work" "$root"
cp -r "$work/debs" "$root/debs"
echo "127.0.0.1 localhost" >"$root/etc/hosts"
trap 'kill -9 "${init:-0}" 2>/dev/null || true' EXIT

# What systemd finds as process 1: file systems of its own; the kernel's settings other than of the network are read-only.
# shellcheck disable=SC2016  # expanded inside
boot='
  for directory in run tmp dev; do mount -t tmpfs tmpfs "$0/$directory"; done
  mount -t proc proc "$0/proc"
  mount --bind "$0/proc/sys" "$0/proc/sys"
  mount -o remount,ro,bind "$0/proc/sys"
  mount -t sysfs -o ro sysfs "$0/sys"
  mount -t cgroup2 cgroup2 "$0/sys/fs/cgroup"
  mkdir "$0/dev/net" "$0/dev/pts" "$0/dev/shm"
  for device in null zero full random urandom tty net/tun; do
    : >"$0/dev/$device"
    mount --bind "/dev/$device" "$0/dev/$device"
  done
  ln -s /proc/self/fd "$0/dev/fd"
  ln -s pts/ptmx "$0/dev/ptmx"
  ip link set lo up
  cd "$0"
  mkdir -p .outside
  pivot_root . .outside
  umount -l /.outside
  exec env -i container=fastmesh PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --system --unit=multi-user.target --log-target=journal'
unshare --mount --pid --ipc --uts --net --cgroup --fork --propagation private --kill-child sh -euc "$boot" "$root" </dev/null >"$work/boot.log" 2>&1 &
unshare=$!

wait_for() { # SECONDS WHAT COMMAND...
  local end=$((SECONDS + $1)) what=$2
  shift 2
  until "$@" >/dev/null 2>&1; do
    [ "$SECONDS" -lt "$end" ] || fail "$what did not happen: $(tail -n 3 "$work/boot.log")"
    sleep 0.1
  done
}

in_root() { nsenter --target "$init" --mount --pid --ipc --uts --net --cgroup -- env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 "$@"; }
apt() { in_root apt-get -q -y --no-install-recommends -o APT::Sandbox::User=root "$@" >"$work/apt.log" 2>&1 || { cat "$work/apt.log" >&2; fail "apt-get $*"; }; }
package() { echo "/debs/$(cd "$root/debs" && echo "$1"_*.deb)"; } # NAME or later/NAME
show() { in_root systemctl show --value -p "$2" "$1"; }
who() { basename "$(in_root readlink "/proc/$(show "$1" MainPID)/exe")"; } # UNIT: the program that runs it
nets() { in_root sh -c 'cd /etc/tinc && find . -path ./nets.boot -prune -o -type f -print0 | sort -z | xargs -0 sha256sum'; }
units() { echo "$(who "$1") $(in_root systemctl is-enabled "$1" || true), $(show "$2" ActiveState) $(in_root systemctl is-enabled "$2" || true)"; } # the one that runs, the other
is() { [ "$2" = "$3" ] || fail "$1: '$2' instead of '$3'"; }

wait_for 10 "a process 1" pgrep -P "$unshare"
init=$(pgrep -P "$unshare")
wait_for 60 "systemd's start" in_root sh -c 'systemctl is-system-running | grep -qx running || systemctl is-system-running | grep -qx degraded'

# A net, as tinc's user has it, enabled and running; and one that fastmesh is to run.
port=655
for net in office home; do
  port=$((port + 1))
  in_root mkdir -p "/etc/tinc/$net/hosts"
  in_root sh -c "printf 'Name = alpha\nPort = $port\n' >/etc/tinc/$net/tinc.conf; printf 'Subnet = 10.6.0.1\n' >/etc/tinc/$net/hosts/alpha
    printf '#!/bin/sh\nip link set \$INTERFACE up\n' >/etc/tinc/$net/tinc-up; chmod +x /etc/tinc/$net/tinc-up
    tincd -n $net -K 2048 </dev/null >/dev/null 2>&1"
done
in_root systemctl -q enable --now tinc@office
is "tinc's net" "$(who tinc@office)" tincd
before=$(nets)
unchanged() { is "nets after $1" "$(nets | grep -v /fastmesh/)" "$before"; } # what FastMesh keeps beside the configuration aside

echo "-- installation beside tinc"
apt install "$(package fastmesh)"
in_root fastmesh --version | sed -n 1p
for page in man8/fastmesh.8 man5/fastmesh.conf.5; do in_root test -e "/usr/share/man/$page.gz" || fail "no $page"; done
is "tinc's net" "$(who tinc@office)" tincd
is "nets of fastmesh" "$(in_root systemctl list-units --all --plain --no-legend 'fastmesh*')" ""
unchanged "the installation"

echo "-- the demo with the installed program, its libraries and the root's ip and ifconfig"
cat >"$work/bin/fastmesh" <<END
#!/bin/sh
for path in /etc/tinc /run /tmp /dev /proc /sys /etc/hosts; do mount --rbind \$path $root\$path; done
exec chroot $root /usr/sbin/fastmesh "\$@"
END
chmod +x "$work/bin/fastmesh"
FASTMESH=$work/bin/fastmesh scripts/demo.sh >"$work/demo.log" 2>&1 || { cat "$work/demo.log" >&2; fail "the demo"; }
grep 'iperf3, one' "$work/demo.log"

echo "-- adopt, one that fails and is taken back, revert"
in_root mkdir -p /run/systemd/system/fastmesh@.service.d
in_root sh -c 'printf "[Service]\nExecStartPre=/bin/false\n" >/run/systemd/system/fastmesh@.service.d/test.conf; systemctl daemon-reload'
if in_root fastmesh -n office adopt >"$work/adopt.log" 2>&1; then fail "adopt succeeds with a unit that cannot start"; fi
is "units after an adopt that failed" "$(units tinc@office fastmesh@office)" "tincd enabled, inactive disabled"
in_root sh -c 'rm /run/systemd/system/fastmesh@.service.d/test.conf; systemctl daemon-reload'
in_root fastmesh -n office adopt >"$work/adopt.log" 2>&1 || fail "adopt: $(cat "$work/adopt.log")"
is "units after adopt" "$(units fastmesh@office tinc@office)" "fastmesh enabled, inactive disabled"
in_root fastmesh -n office revert >"$work/adopt.log" 2>&1 || fail "revert: $(cat "$work/adopt.log")"
is "units after revert" "$(units tinc@office fastmesh@office)" "tincd enabled, inactive disabled"
unchanged "revert"

echo "-- a net as a service"
in_root systemctl start fastmesh@home || fail "fastmesh@home does not start"
is "the program" "$(who fastmesh@home)" fastmesh
is "status" "$(show fastmesh@home StatusText)" "1 of 1 nodes reachable"
[[ $(in_root ip link show home) = *[\<,]UP[,\>]* ]] || fail "tinc-up did not run"
in_root systemctl reload fastmesh@home || fail "the reload"
wait_for 10 "the end of the reload" in_root sh -c 'systemctl show --value -p ActiveState fastmesh@home | grep -qx active'

echo "-- the journal, and a daemon that hangs"
restart_with() { # SETTING...: of the unit
  printf '%s\n' '[Service]' "$@" >"$root/run-test.conf"
  in_root sh -c 'mv /run-test.conf /run/systemd/system/fastmesh@.service.d/test.conf; systemctl daemon-reload; systemctl restart fastmesh@home'
}
restart_with WatchdogSec=2 RestartSec=0 Environment=EXTRA=--log-format=journald
wait_for 10 "an entry in the journal" in_root sh -c 'journalctl -q -o json FASTMESH_EVENT=Ready | grep -q .'
ready=$(in_root journalctl -q -o json FASTMESH_EVENT=Ready)
for field in MESSAGE:Ready MESSAGE_ID:8d1f0b6c4ea94c1c93a5d7e20000012f FASTMESH_EVENT_ID:303 FASTMESH_NET:home SYSLOG_IDENTIFIER:tinc.home PRIORITY:5 _SYSTEMD_UNIT:fastmesh@home.service; do
  [[ $ready = *"\"${field%%:*}\":\"${field#*:}\""* ]] || fail "no $field in the journal's $ready"
done
old=$(show fastmesh@home MainPID)
in_root sh -c "sleep 4; kill -0 $old" || fail "the watchdog bites a daemon that does not hang"
in_root sh -c "kill -STOP $old"
wait_for 30 "a restart by the watchdog" in_root sh -c 'systemctl show --value -p NRestarts fastmesh@home | grep -qx 1 && systemctl show --value -p ActiveState fastmesh@home | grep -qx active'
in_root journalctl --no-pager -u fastmesh@home | sed -n 's/.*\(Watchdog timeout.*\)/\1/p'

echo "-- a log file and another user: it is the user's to open anew, and stays so"
log=/var/log/tinc.home.log
restart_with "Environment='EXTRA=--logfile -U nobody'"
restart_with "Environment='EXTRA=--logfile -U nobody'"
is "the log file's owner" "$(in_root stat -c %U $log)" nobody
is "starts in the log file" "$(grep -c ': Ready$' "$root$log")" 2
in_root sh -c "mv $log $log.1; install -o nobody -m 640 /dev/null $log; systemctl reload fastmesh@home" || fail "the reload by root of another user's daemon"
wait_for 10 "a log file opened anew" grep -q Reload "$root$log"

echo "-- in tinc's place"
apt install "$(package fastmesh-tincd)"
is "tinc" "$(in_root dpkg-query -W -f '${db:Status-Status}' tinc)" config-files
[[ $(in_root tincd --version) = fastmesh\ * ]] || fail "tincd is not fastmesh"
is "tinc's net" "$(who tinc@office)" fastmesh
unchanged "the change of program"

echo "-- upgrade"
office=$(show tinc@office MainPID) home=$(show fastmesh@home MainPID)
apt install "$(package later/fastmesh)" "$(package later/fastmesh-tincd)"
is "versions" "$(in_root dpkg-query -W -f '${Version} ' fastmesh fastmesh-tincd)" "$later $later "
is "tinc's net" "$(show tinc@office ActiveState) $(who tinc@office)" "active fastmesh"
is "fastmesh's net" "$(show fastmesh@home ActiveState) $(who fastmesh@home)" "active fastmesh"
if [ "$(show tinc@office MainPID)" = "$office" ] || [ "$(show fastmesh@home MainPID)" = "$home" ]; then fail "a net runs on with the old program"; fi
unchanged "the upgrade"

echo "-- removal and purge"
apt remove fastmesh fastmesh-tincd
is "nets that run" "$(in_root systemctl list-units --plain --no-legend --state=active 'fastmesh@*' 'tinc@*')" ""
apt purge fastmesh fastmesh-tincd
unchanged "the purge"
is "files left behind" "$(in_root find / -xdev '(' -path /debs -o -path /etc/tinc -o -path /var/log ')' -prune -o -name '*fastmesh*' -print)" ""
echo "deb-test.sh $suite: all as it should be"
