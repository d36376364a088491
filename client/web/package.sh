#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the npm package rta-web and the page:
#
#   package.sh PROTO_DIR WASM OUTPUT_DIR [SITE_DIR]
#
# WASM is the module rta_engine.wasm, which the preset `wasm` builds.
#
# OUTPUT_DIR/rta-web-VERSION.tgz        the package
# OUTPUT_DIR/node_modules/rta-web       the package, unpacked: for programs in OUTPUT_DIR
# OUTPUT_DIR/stage                      its sources, dependencies and modules: for tests of parts that it does not export
# OUTPUT_DIR/client                     the package rta-client, which it contains
# SITE_DIR, or OUTPUT_DIR/site          the page, for any static server
#
# npm downloads the pinned dependencies, or takes them from its cache, if the lock files have changed since the last run. No
# install script of a package is run.
set -eu
proto=$(realpath "$1")
wasm=$(realpath "$2")
mkdir -p "$3"
output=$(realpath "$3")
site=$(realpath -m "${4:-$output/site}")
stage=$output/stage
cd "$(dirname "${BASH_SOURCE[0]}")"
javascript=$PWD/../javascript

# Runs a command if the files have changed since it succeeded for the last time.
if_changed() {
    local stamp=$1 files=() sum
    shift
    while [ "$1" != -- ]; do files+=("$1"); shift; done
    shift
    sum=$(find "${files[@]}" -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum)
    if [ "$sum" = "$(cat "$stamp" 2>/dev/null)" ]; then return 0; fi
    rm -f "$stamp"
    "$@"
    printf '%s\n' "$sum" >"$stamp"
}

install_dependencies() {
    (cd "$stage" && npm ci --ignore-scripts --no-audit --no-fund)
    rm -f "$output/client.stamp"
}

build_client() {
    "$javascript/package.sh" "$proto" "$output/client"
    cp -RL "$output"/client/node_modules/* "$stage/node_modules/"
}

mkdir -p "$stage"
rm -rf "$stage/src" "$stage/tools" "$stage/modules" "$output"/*.tgz "$output/node_modules"
cp -R src tools package.json package-lock.json tsconfig.json README.md ../../LICENSE "$stage/"
node tools/cookbook.mjs ../../docs/cookbook.md "$stage/src/page/generated/cookbook.ts"
node tools/version.mjs package.json "$stage/src/engine/generated/version.ts"
if_changed "$output/dependencies.stamp" package-lock.json -- install_dependencies
if_changed "$output/client.stamp" "$proto" "$javascript" -- build_client

cd "$stage"
node_modules/.bin/tsc
licenses=()
for package in libhwy-dev rapidjson-dev libutfcpp-dev wasi-libc libc++-22-dev-wasm32; do
    licenses+=("/usr/share/doc/$package/copyright")
done
node tools/build.mjs "$wasm" "$site" "${licenses[@]}"
npm pack --ignore-scripts --silent --pack-destination "$output"

mkdir -p "$output/node_modules/rta-web"
tar -xzf "$output"/rta-web-*.tgz -C "$output/node_modules/rta-web" --strip-components 1
