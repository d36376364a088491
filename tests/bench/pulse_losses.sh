#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Removes and restores the sink of a PulseAudio server under a playing rtad, and prints how long rtad takes to play
# again, and its memory and descriptors. Needs the packages pulseaudio, pulseaudio-utils and libasound2-plugins, which
# the tests do not install: they change the default device of ALSA.
#
#     tests/bench/pulse_losses.sh [LOSSES [ARGUMENTS OF rtad...]]       default: 20 --channels-in 0
#     RTAD_BIN=build/release/bin tests/bench/pulse_losses.sh 20 --channels-in 2
set -euo pipefail

losses=${1:-20}
if [ $# -gt 1 ]; then arguments=("${@:2}"); else arguments=(--channels-in 0); fi
bin=${RTAD_BIN:-build/release/bin}
for tool in pulseaudio pactl; do
    command -v "$tool" >/dev/null || { echo "error: $tool not found: install pulseaudio and pulseaudio-utils" >&2; exit 2; }
done

folder=$(mktemp -d)
pulse=''
rtad=''
finish() {
    [ -z "$rtad" ] || kill "$rtad" 2>/dev/null || true
    [ -z "$pulse" ] || kill "$pulse" 2>/dev/null || true
    wait 2>/dev/null || true
    rm -rf "$folder"
}
trap finish EXIT
export HOME=$folder XDG_RUNTIME_DIR=$folder PULSE_SERVER=unix:$folder/server PULSE_LATENCY_MSEC=20

sink=(module-null-sink sink_name=bench rate=48000 format=float32le channels=2)
pulseaudio -n --daemonize=no --exit-idle-time=-1 --use-pid-file=no \
    -L "module-native-protocol-unix socket=$folder/server auth-anonymous=1" -L "${sink[*]}" >"$folder/pulse.log" 2>&1 &
pulse=$!
until pactl info >/dev/null 2>&1; do sleep 0.05; done

"$bin/rtad" --device portaudio:pulse "${arguments[@]}" --socket "$folder/rtad" --listen 127.0.0.1:0 >"$folder/rtad.log" 2>&1 &
rtad=$!
ctl() { "$bin/rtactl" --socket "$folder/rtad" "$@"; }
plays() { ctl status 2>/dev/null | grep -q '^device  *portaudio '; }
await() {
    local attempt
    for attempt in $(seq 1500); do
        "$@" && return 0
        sleep 0.02
    done
    echo "error: no success after $attempt attempts: $*" >&2
    return 1
}
resources() {
    printf '%s KiB resident, %s descriptors' "$(awk '/VmRSS/ {print $2}' "/proc/$rtad/status")" \
        "$(find "/proc/$rtad/fd" -mindepth 1 | wc -l)"
}

await plays
ctl play sine >/dev/null
taken=()
for loss in $(seq "$losses"); do
    sleep "0.$((RANDOM % 90 + 10))"
    pactl unload-module module-null-sink
    sleep "0.$((RANDOM % 90 + 10))"
    pactl load-module "${sink[@]}" >/dev/null
    begin=$(date +%s%N)
    await plays
    taken+=($((($(date +%s%N) - begin) / 1000000)))
    [ "$loss" -ne 3 ] || echo "after 3 losses: $(resources)"
done
mapfile -t sorted < <(printf '%s\n' "${taken[@]}" | sort -n)
echo "after $losses losses: $(resources)"
echo "plays again after ${sorted[$((losses / 2))]} ms (median), ${sorted[-1]} ms (worst)"
ctl status | grep -E '^graph'
kill "$rtad"
status=0
wait "$rtad" || status=$?
rtad=''
echo "exit status $status"
