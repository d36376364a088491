#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# check_case.sh CASE PATTERN COMPILER FLAGS...: CASE compiles, and with -DRTA_FAULT fails with a diagnostic that PATTERN matches.
set -u
case_file=$1 pattern=$2
shift 2

if ! output=$("$@" -fsyntax-only "$case_file" 2>&1); then
    printf 'error: %s must compile without the fault, and does not:\n%s\n' "$case_file" "$output"
    exit 1
fi
if output=$("$@" -fsyntax-only -DRTA_FAULT "$case_file" 2>&1); then
    printf 'error: %s must not compile with the fault, and does\n' "$case_file"
    exit 1
fi
if ! grep -Eq -- "$pattern" <<<"$output"; then
    printf 'error: %s fails to compile, but not with the diagnostic expected:\n  %s\n%s\n' "$case_file" "$pattern" "$output"
    exit 1
fi
grep -E -- "$pattern" <<<"$output"
