#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Quickstart on a fresh Debian 12: installs missing packages (as root or with sudo), builds rtad and rtactl, plays a
# chain of nodes and edits it during playback, first on the sound card, if there is one, and then into a WAV file. Run
# it from any directory.
#
# It uses its own socket and a free port, so that it does not interfere with a running rtad.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. daemon/packages.sh

export LC_ALL=C.UTF-8
out=$PWD/build/quickstart
bin=$PWD/build/release/bin
run_dir=$(mktemp -d "${TMPDIR:-/tmp}/rtad-quickstart.XXXXXX")
socket=$run_dir/control.sock
rtad_pid=""

stop_rtad() {
    local status=0
    if [ -z "$rtad_pid" ]; then return 0; fi
    kill -TERM "$rtad_pid" 2>/dev/null || true
    wait "$rtad_pid" || status=$?
    rtad_pid=""
    return $status
}
trap 'stop_rtad || true; rm -rf "$run_dir"' EXIT
trap 'exit 130' INT TERM

say() { printf '\n%s\n' "$*"; }
fail() {
    printf '\nerror: %s\n' "$*" >&2
    exit 1
}

# step LOG COMMAND...: runs the command, and shows its output only if it fails.
step() {
    local log=$out/$1
    shift
    "$@" >"$log" 2>&1 || { tail -n 40 "$log" >&2; fail "$1 failed; the complete log is $log"; }
}

# step_with_progress LOG COMMAND...: as step; prints the last line of the log every 10 seconds.
step_with_progress() {
    step "$@" &
    local pid=$! seconds=0
    while kill -0 "$pid" 2>/dev/null; do
        sleep 1
        seconds=$((seconds + 1))
        if [ $((seconds % 10)) -eq 0 ]; then printf '   %s s: %s\n' "$seconds" "$(tail -n 1 "$out/$1" | cut -c 1-100)"; fi
    done
    wait "$pid"
}

# Prints the command as a user would type it, and runs it.
rtactl() {
    printf '    $ rtactl %s\n' "$*"
    "$bin/rtactl" --socket "$socket" "$@" | sed 's/^/      /'
}
shell_lines() {
    printf '    $ rtactl shell\n'
    sed 's/^/      > /' <<<"$1"
    "$bin/rtactl" --socket "$socket" shell <<<"$1" | sed 's/^/      /'
}
listen() { sleep "$1"; }

start_rtad() {
    say "Starting the daemon:"
    printf '    $ rtad %s\n' "$*"
    "$bin/rtad" --socket "$socket" --listen 127.0.0.1:0 "$@" >"$run_dir/rtad.log" 2>&1 &
    rtad_pid=$!
    for _ in $(seq 200); do
        if "$bin/rtactl" --socket "$socket" status >"$run_dir/status" 2>/dev/null; then
            sed -n 's/^device/      plays on&/; s/plays on *device */plays on /p' "$run_dir/status"
            return 0
        fi
        if ! kill -0 "$rtad_pid" 2>/dev/null; then break; fi
        sleep 0.05
    done
    cat "$run_dir/rtad.log" >&2
    fail "rtad did not start"
}

session() {
    say "Play a sine through a gain node to the output, with one command:"
    rtactl play sine:frequency_hz=220Hz,gain_db=-12dB gain:gain_db=-6dB
    listen 1
    say "Glide up an octave in half a second:"
    rtactl set sine.frequency_hz=440Hz --ramp 500
    listen 1
    say "Add a second sine, a fifth above. It fades in, without a click:"
    rtactl add sine fifth frequency_hz=660Hz gain_db=-18dB
    rtactl connect fifth gain
    listen 1
    say "Make several edits as one transaction: they take effect in the same block, or not at all:"
    shell_lines "begin
set sine.frequency_hz=466.16Hz
set fifth.frequency_hz=698.46Hz
commit"
    listen 1
    say "Lower the level, then remove the second sine:"
    rtactl set gain.gain_db=-18dB --ramp 1000
    listen 1
    rtactl remove fifth
    listen 0.5
    say "Show the current graph:"
    rtactl graph show
}

mkdir -p "$out"
say "1. Debian packages"
install_packages build run
echo "   all installed"

say "2. Building rtad and rtactl (the first build takes a few minutes)"
step configure.log cmake --preset release
if [ -t 1 ]; then
    cmake --build build/release --target rtad rtactl rta_wavpicture || fail "the build failed"
else
    step_with_progress build.log cmake --build build/release --target rtad rtactl rta_wavpicture
fi
"$bin/rtad" --version | sed 's/^/   /'

say "3. Sound card"
"$bin/rtad" devices >"$run_dir/devices" 2>"$run_dir/devices.err" || true
sed 's/^/   /' "$run_dir/devices"
if grep -qE ' [1-9][0-9]* out ' "$run_dir/devices"; then
    start_rtad --device auto
    session
    stop_rtad || fail "rtad did not stop cleanly"
else
    echo "   no sound card found: listen to the file below instead"
fi

say "4. The same session into a file: the null device is clocked by a timer and writes the output to a WAV file"
wav=$out/rtad.wav
start_rtad --device "null:$wav"
session
say "Stopping the daemon; the sound fades out in 20 ms."
stop_rtad || { cat "$run_dir/rtad.log" >&2; fail "rtad did not stop cleanly"; }
[ -s "$wav" ] || fail "rtad did not write $wav"
"$bin/rta_wavpicture" "$wav" "$out/rtad.png"

say "5. The page: the panel of a running daemon"
has_page=no
if install_packages web && step_with_progress web_site.log cmake --build build/release --target web_site; then has_page=yes; fi
if [ $has_page = no ]; then echo "   not built: it requires Clang 22, Node.js and npm; see client/web/README.md"; fi

say "Results:"
cat <<EOF
   $wav   the complete output of the device
   $out/rtad.png   its waveform and spectrogram
   $bin/rtad, $bin/rtactl   the programs: start rtad, then try rtactl --help
EOF
if [ $has_page = yes ]; then
    start_rtad --device auto --web 127.0.0.1:0
    rtactl play sine:frequency_hz=220Hz,gain_db=-30dB gain:gain_db=-6dB
    if [ -t 0 ]; then echo "   The daemon runs until you press Enter. Open in a browser:"; else echo "   The page of this daemon:"; fi
    sed -n 's/^.*serving \(http[^ ]*\)$/   \1/p' "$run_dir/rtad.log"
    if [ -t 0 ]; then read -r _ || true; fi
    stop_rtad || fail "rtad did not stop cleanly"
fi
