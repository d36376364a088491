#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Builds the npm package rta-client:
#
#   package.sh PROTO_DIR OUTPUT_DIR
#
# OUTPUT_DIR/rta-client-VERSION.tgz          the package
# OUTPUT_DIR/node_modules                    the package, unpacked, for programs in OUTPUT_DIR; and protobufjs, for its tests
# OUTPUT_DIR/stage                           its sources, what was generated, and the development dependencies
#
# npm downloads the pinned dependencies, or takes them from its cache. No install script of a package is run.
set -eu
proto=$(realpath "$1")
mkdir -p "$2"
output=$(realpath "$2")
stage=$output/stage
cd "$(dirname "${BASH_SOURCE[0]}")"

mkdir -p "$stage"
rm -rf "$stage/src" "$stage/tools" "$stage/generated" "$output"/*.tgz "$output/node_modules"
cp -R src tools package.json package-lock.json README.md "$stage/"
cd "$stage"
npm ci --ignore-scripts --no-audit --no-fund
node tools/generate.mjs "$proto" generated
npm pack --ignore-scripts --silent --pack-destination "$output"

mkdir -p "$output/node_modules/rta-client"
tar -xzf "$output"/rta-client-*.tgz -C "$output/node_modules/rta-client" --strip-components 1
for dependency in protobufjs long; do ln -s "$stage/node_modules/$dependency" "$output/node_modules/$dependency"; done
