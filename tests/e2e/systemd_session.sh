#!/bin/bash
# SPDX-License-Identifier: MIT
# Runs inside the machine that systemd_test boots, with rtad.service installed and enabled, when the boot has completed.
# Writes every result to a file in /results, as `NAME=VALUE` lines or as the output of a command. The test outside
# checks them.
set -u
results=/results
facts=$results/facts
recording=/var/lib/rtad/out.wav

fact() { printf '%s=%s\n' "$1" "$2" >>"$facts"; }
now_ns() { date +%s%N; }
property() { systemctl show --value -p "$1" rtad.service; }
ctl() { rtactl --socket /run/rtad/control.sock "$@"; }
as() { runuser -u "$1" -- rtactl --socket /run/rtad/control.sock "${@:2}"; }
# number NAME: prints a number of `rtactl --json status`.
number() { sed -n "s/.*\"$1\": *\"\{0,1\}\([0-9]*\).*/\1/p" "$results/status.json" | head -n 1; }
status() { ctl --json status >"$results/status.json" 2>"$results/status.error"; }

# wait_for SECONDS COMMAND...: polls until the command succeeds.
wait_for() {
    local end=$((SECONDS + $1))
    shift
    until "$@"; do
        [ $SECONDS -lt $end ] || { fact timeout "$*"; return 1; }
        sleep 0.005
    done
}
saved() { status && grep -q '"up_to_date": *true' "$results/status.json"; }
started_again() { status && [ "$(property MainPID)" != "$1" ] && [ "$(property ActiveState)" = active ]; }
back() { status && [ "$(number frame)" -gt 0 ]; }
heard_for() { status && [ "$(number frame)" -ge "$1" ]; }

useradd --no-create-home --groups audio listener
useradd --no-create-home stranger

# Warnings about the unit file.
systemd-analyze verify /usr/lib/systemd/system/rtad.service >"$results/verify" 2>&1
systemd-analyze security --no-pager --offline=true /usr/lib/systemd/system/rtad.service >"$results/security" 2>&1

# The unit is enabled, so the boot has started it. `start` returns when rtad has reported that it is ready.
systemctl start rtad.service
fact start $?
fact active "$(property ActiveState)"
status
fact frame_when_ready "$(number frame)"
fact folder "$(stat -Lc '%a %G' /run/rtad)"
fact socket "$(stat -c '%a %G' /run/rtad/control.sock)"
fact state_folder "$(stat -Lc '%a' /var/lib/rtad)"
fact user "$(ps -o user= -p "$(property MainPID)")"
fact tasks_max "$(property TasksMax)"
fact memory_max "$(property MemoryMax)"
fact memory_of_machine "$(sed -n 's/^MemTotal:[[:space:]]*\([0-9]*\) kB/\1/p' /proc/meminfo)"
fact open_files "$(sed -n 's/^Max open files[[:space:]]*\([0-9]*\).*/\1/p' "/proc/$(property MainPID)/limits")"
fact capabilities "$(sed -n 's/^CapEff:[[:space:]]*//p' "/proc/$(property MainPID)/status")"
ctl status >"$results/status.txt" 2>&1

# Members of the group audio have access, others have not.
as listener play sine:frequency_hz=440,gain_db=-6 >"$results/play" 2>&1
fact listener $?
as stranger status >"$results/stranger" 2>&1
fact stranger $?

wait_for 10 saved
wait_for 10 heard_for 96000
sleep 1.2 # the line for `systemctl status` is updated every second
fact status_text "$(property StatusText)"
ctl graph show >"$results/graph.before"

# Kills rtad repeatedly and measures the time until it plays again, from its clock at its first response.
for _ in 1 2 3 4 5; do
    pid=$(property MainPID)
    wait_for 10 heard_for 9600
    killed=$(now_ns)
    kill -KILL "$pid"
    wait_for 10 started_again "$pid"
    wait_for 10 back
    asked=$(now_ns)
    fact outage_ms $(((asked - $(number frame) * 1000000000 / 48000 - killed) / 1000000))
    wait_for 10 heard_for 9600
done
ctl graph show >"$results/graph.after"
fact restarts_by_kill "$(property NRestarts)"

# Killed while the output is muted.
ctl mute >/dev/null
wait_for 10 saved
pid=$(property MainPID)
kill -KILL "$pid"
wait_for 10 started_again "$pid"
wait_for 10 back
wait_for 10 heard_for 96000
cp "$recording" "$results/muted.wav"
ctl unmute >/dev/null

# The limits of the unit: what the kernel enforces, and what happens beyond it.
# group CONTROLLER: prints the folder of the control group of rtad.
group() {
    local path
    path=$(sed -n "s/^[0-9]*:$1://p" "/proc/$(property MainPID)/cgroup")
    if [ -n "$path" ]; then echo "/sys/fs/cgroup/$1$path"; else echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "/proc/$(property MainPID)/cgroup")"; fi
}
memory_limit() { cat "$(group memory)/memory.limit_in_bytes" "$(group memory)/memory.max" 2>/dev/null | head -n 1; }
fact enforced_tasks "$(cat "$(group pids)/pids.max" 2>&1)"
fact enforced_memory "$(memory_limit)"
fact tasks "$(cat "$(group pids)/pids.current" 2>&1)"
# A process in its group cannot start more tasks than are left, and rtad continues.
bash -c "echo \$\$ >'$(group pids)/cgroup.procs'; for i in {1..400}; do sleep 3 & done; wait" >"$results/forks" 2>&1 &
forks=$!
sleep 1
fact tasks_at_limit "$(cat "$(group pids)/pids.current" 2>&1)"
pid=$(property MainPID)
status
fact answers_at_task_limit $?
kill $forks
fact same_process_at_task_limit "$([ "$(property MainPID)" = "$pid" ] && echo yes)"

set_memory_limit() {
    mkdir -p /run/systemd/system/rtad.service.d
    printf '[Service]\nMemoryMax=%s\n' "$1" >/run/systemd/system/rtad.service.d/memory.conf
    systemctl daemon-reload
}
set_memory_limit 100M
systemctl restart rtad.service
wait_for 10 heard_for 4800
fact memory_limit "$(memory_limit)"
# rtad refuses what would exceed it.
ctl add delay_line long channels=64 max_time_ms=10000 >"$results/too_large" 2>&1
fact too_large $?
# Another process of the service that does: the kernel ends it, or rtad, and nothing else.
bash -c "echo \$\$ >'$(group memory)/cgroup.procs'; head -c 400M /dev/zero | tail -c 300M >/dev/null" >"$results/hog" 2>&1
fact hog $?
wait_for 10 back
wait_for 10 saved
ctl graph show >"$results/graph.after_hog"
rm /run/systemd/system/rtad.service.d/memory.conf
systemctl daemon-reload
systemctl restart rtad.service
wait_for 10 back
ctl graph show >"$results/graph.after_memory"

# Stopped but not killed: the watchdog detects it. The timeout is shortened for the test.
mkdir -p /run/systemd/system/rtad.service.d
printf '[Service]\nWatchdogSec=1s\n' >/run/systemd/system/rtad.service.d/watchdog.conf
systemctl daemon-reload
systemctl restart rtad.service
sleep 2.5 # longer than the watchdog timeout: a running daemon must survive
fact restarts_while_watched "$(property NRestarts)"
pid=$(property MainPID)
kill -STOP "$pid"
wait_for 20 started_again "$pid"
fact restarts_by_watchdog "$(property NRestarts)"
wait_for 10 heard_for 48000

# Stop.
systemctl stop rtad.service
fact stop $?
fact stop_result "$(property Result)"
fact stop_status "$(property ExecMainStatus)"
cp "$recording" "$results/out.wav"
cp /var/lib/rtad/graph.json "$results/graph.json"
journalctl -u rtad.service -o json --output-fields=PRIORITY,MESSAGE,_TRANSPORT >"$results/journal"

# A network, set up as in docs/remote.md, with a token that is created while rtad is stopped.
ip address add 192.0.2.1/32 dev lo
(umask 077; rtad token new --state-dir /var/lib/rtad --role control desk >/root/desk.token)
fact token $?
sed -i 's/^#\?listen = .*/listen = ["0.0.0.0:7340"]/' /etc/rtad/rtad.toml
printf '[Service]\nIPAddressAllow=192.0.2.0/24\n' >/run/systemd/system/rtad.service.d/network.conf
systemctl daemon-reload
systemctl start rtad.service
fact network $?
openssl x509 -in /var/lib/rtad/tls/certificate.pem -noout -ext subjectAltName >"$results/certificate" 2>&1
rtactl --host 192.0.2.1 --token-file /root/desk.token --tls-ca /var/lib/rtad/tls/certificate.pem volume >"$results/network" 2>&1
fact network_client $?
fact token_owner "$(stat -c '%U %a' /var/lib/rtad/tokens)"
systemctl stop rtad.service

# A configuration error, which a restart cannot fix.
echo 'sample-rat = 48000' >>/etc/rtad/rtad.toml
systemctl start rtad.service >"$results/bad_config" 2>&1
fact bad_config $?
sleep 0.5 # a restart would have happened by now
fact bad_config_state "$(property ActiveState)"
fact bad_config_status "$(property ExecMainStatus)"
fact bad_config_restarts "$(property NRestarts)"
journalctl -u rtad.service -p err -o cat >"$results/journal.errors"
fact complete yes
