# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# The Debian 12 packages that rtad needs. Sourced by daemon/quickstart.sh and tests/run.sh.
#
#   install_packages build run      installs the missing packages of these groups, as root or with sudo

# To configure and build the release preset, including its tests.
packages_build=(
    g++ cmake ninja-build ccache pkg-config
    portaudio19-dev libasound2-dev libjack-jackd2-dev libasio-dev libprotobuf-dev protobuf-compiler
    libspdlog-dev libcli11-dev libtomlplusplus-dev rapidjson-dev libutfcpp-dev libsndfile1-dev libsamplerate0-dev
    libhwy-dev libsystemd-dev libedit-dev libssl-dev libavahi-client-dev libqrencode-dev libgtest-dev
)
# To plot the result of the quickstart.
packages_run=(gnuplot-nox)
# To build the page, target `web_site`: the engine for WebAssembly. It also needs Node.js and npm.
packages_web=(clang-22 lld-22 wasi-libc libc++-22-dev-wasm32 libc++abi-22-dev-wasm32 libclang-rt-22-dev-wasm32 binaryen
    zopfli)
# To run the release tests: JACK, systemd, Avahi, network namespaces that lose packets, other shells and languages, parsers of
# metrics and QR codes, browsers, and a sound server that records them.
packages_test=(
    "${packages_web[@]}"
    jackd2 alsa-utils gnuplot-nox
    systemd systemd-sysv systemd-container dbus avahi-daemon iproute2 nftables
    python3 python3-protobuf python3-pyte zsh fish graphviz
    python3-pip python3-setuptools python3-wheel openssl
    python3-prometheus-client zbar-tools
    chromium firefox-esr pulseaudio pulseaudio-utils
)
# To build tests/bench/fft_bench, which compares with these libraries.
packages_bench=(libfftw3-dev libkissfft-dev)
# To run the checks: Clang with its sanitizers and tools, and WebAssembly.
packages_check=(
    "${packages_web[@]}"
    llvm-22 libclang-rt-22-dev clang-tidy-22 clang-format-22
    mypy
)

# Prints the packages among its arguments that are not installed.
missing_packages() {
    local name
    for name in "$@"; do
        [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] || printf '%s\n' "$name"
    done
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo "$@"; fi
}

install_packages() {
    local group name wanted=() missing=()
    for group in "$@"; do
        local -n members="packages_$group"
        wanted+=("${members[@]}")
        # Debian's nodejs and npm conflict with Node.js from other sources, so they are installed only if Node.js is
        # missing.
        if [[ $group == test || $group == web ]]; then
            command -v node >/dev/null || wanted+=(nodejs)
            command -v npm >/dev/null || wanted+=(npm)
        fi
    done
    mapfile -t missing < <(missing_packages "${wanted[@]}" | sort -u)
    if [ ${#missing[@]} -eq 0 ]; then return 0; fi

    echo "installing: ${missing[*]}"
    if ! command -v apt-get >/dev/null; then
        echo "error: apt-get not found: this script supports Debian 12; on other systems, install the packages listed above" >&2
        return 1
    fi
    if [ "$(id -u)" -ne 0 ] && ! command -v sudo >/dev/null; then
        echo "error: installing packages requires root: run this script as root, or install sudo" >&2
        return 1
    fi
    as_root apt-get -qq update || return 1
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -y --no-install-recommends install "${missing[@]}" >/dev/null || return 1
    # apt fails above for an unknown package; this finds packages that were only partly installed.
    mapfile -t missing < <(missing_packages "${missing[@]}")
    for name in "${missing[@]}"; do echo "error: package $name could not be installed" >&2; done
    [ ${#missing[@]} -eq 0 ]
}
