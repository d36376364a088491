#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# expect_caught.sh PATTERN COMMAND...: the command fails, and a line of its output matches PATTERN (extended).
set -u
pattern=$1
shift
if output=$("$@" 2>&1); then
    printf 'error: the fault was not caught: %s succeeded\n%s\n' "$*" "$output"
    exit 1
fi
if ! grep -E -- "$pattern" <<<"$output"; then
    printf 'error: %s failed, but no line says "%s":\n%s\n' "$*" "$pattern" "$output"
    exit 1
fi
