#!/bin/bash
# SPDX-License-Identifier: MIT
# systemd_machine.sh BUILD_DIR RESULTS: boots a container on an overlay of this machine's files, in which rtad is
# installed by cmake --install and enabled. Runs systemd_session.sh in it; the container stops when the script ends. The
# console of the container goes to stdout. If a requirement is missing, reports it on stderr and exits with status 1.
# Writes only to RESULTS and to its own tmpfs.
set -u
build=$1
results=$2
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

fail() { echo "systemd_machine: $*" >&2; exit 1; }

[ "$(id -u)" -eq 0 ] || fail "booting a machine in a container takes root"
for program in systemd-nspawn cmake unshare; do
    command -v $program >/dev/null || fail "there is no $program; tests/run.sh installs it (daemon/packages.sh)"
done
[ -x /lib/systemd/systemd ] || fail "systemd is not installed; tests/run.sh installs it (daemon/packages.sh)"
mountpoint -q /sys/fs/cgroup || fail "there is no /sys/fs/cgroup, without which no systemd boots"

# A separate mount namespace: the mounts are removed when it ends.
if [ "${RTAD_MACHINE_UNSHARED-}" = "" ]; then
    RTAD_MACHINE_UNSHARED=1 exec unshare --mount --propagation private -- "${BASH_SOURCE[0]}" "$@"
fi

space=$results/machine
mkdir -p "$space" "$results/report" || fail "cannot write to $results"
mount -t tmpfs -o size=1g rtad-test "$space" || fail "a tmpfs cannot be mounted here"
mkdir "$space"/{upper,work,root}
mount -t overlay -o "lowerdir=/,upperdir=$space/upper,workdir=$space/work" rtad-test "$space/root" ||
    fail "an overlay of / cannot be mounted here"
root=$space/root

# Disables the services of this machine, and configures what a first boot would ask for.
rm -rf "$root"/etc/systemd/system/*.wants "$root"/var/log/journal "$root"/etc/fstab
for unit in systemd-networkd.service systemd-resolved.service systemd-timesyncd.service systemd-pstore.service \
    systemd-firstboot.service e2scrub_reap.service postgresql.service apt-daily.timer apt-daily-upgrade.timer \
    dpkg-db-backup.timer e2scrub_all.timer fstrim.timer man-db.timer getty.target console-getty.service \
    systemd-random-seed.service systemd-update-utmp.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
ln -sf /lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
echo 7ad0000000000000000000000000007a >"$root/etc/machine-id"
echo rtad-test >"$root/etc/hostname"

DESTDIR=$root cmake --install "$build" --prefix /usr >"$results/install.log" 2>&1 || fail "cmake --install failed: $(tail -n 3 "$results/install.log")"
echo 'device = "null:/var/lib/rtad/out.wav"' >>"$root/etc/rtad/rtad.toml"

install -m 755 "$here/systemd_session.sh" "$root/usr/bin/rtad-session"
cat >"$root/etc/systemd/system/rtad-session.service" <<'UNIT'
[Unit]
After=basic.target dbus.service
Wants=dbus.service
[Service]
Type=oneshot
ExecStart=/usr/bin/rtad-session
StandardOutput=file:/results/session.log
StandardError=inherit
ExecStopPost=/usr/bin/systemctl --no-block --force poweroff
[Install]
WantedBy=multi-user.target
UNIT
mkdir "$root/etc/systemd/system/multi-user.target.wants"
for unit in rtad rtad-session; do
    systemctl --root="$root" enable "$unit.service" 2>>"$results/install.log" || fail "$unit.service cannot be enabled"
done

# With separate hierarchies of control groups, systemd-nspawn lets the machine read those of memory and tasks only, so no
# limit is enforced. The machine gets groups of its own, which its first process makes writable.
groups=
for controller in memory pids; do
    [ -d "/sys/fs/cgroup/$controller" ] && mkdir "/sys/fs/cgroup/$controller/rtad-test-$$" 2>/dev/null || continue
    groups+=" /sys/fs/cgroup/$controller/rtad-test-$$"
done
cat >"$root/usr/bin/rtad-init" <<'INIT'
#!/bin/sh
for controller in memory pids; do
    [ ! -d "/sys/fs/cgroup/$controller" ] || mount -o remount,rw,bind "/sys/fs/cgroup/$controller"
done
exec /lib/systemd/systemd
INIT
chmod 755 "$root/usr/bin/rtad-init"

# Shorter than the timeout of the test. A machine that hangs receives SIGTERM first.
(
    for group in $groups; do echo "$BASHPID" >"$group/cgroup.procs"; done
    exec timeout --kill-after=5 100 systemd-nspawn --quiet --register=no --keep-unit --private-network \
        --capability=CAP_IPC_LOCK,CAP_SYS_NICE --machine="rtad-test-$$" --bind="$results/report:/results" \
        --directory="$root" /usr/bin/rtad-init </dev/null
)
echo "the machine ended with status $?"
for group in $groups; do find "$group" -depth -type d -exec rmdir {} +; done
