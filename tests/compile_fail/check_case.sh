#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# check_case.sh CASE PATTERN COMPILER FLAGS...: checks that CASE compiles, and that with -DRTA_FAULT it fails with a
# diagnostic that matches PATTERN.
#
# A case that passed leaves a stamp in the folder stamps/ of the working directory. The name of the stamp is a hash of
# everything that determines the outcome: this script, the pattern, the compiler and its flags, and the source with and
# without the fault, including all headers, macros and comments. A case whose stamp exists is not compiled again.
set -u
script=$0 case_file=$1 pattern=$2
shift 2

# Preprocesses without expanding macros.
expand=-fdirectives-only
[[ $1 == *clang* ]] && expand=-frewrite-includes
if plain=$("$@" -E $expand "$case_file" 2>/dev/null) && fault=$("$@" -E $expand -DRTA_FAULT "$case_file" 2>/dev/null); then
    flags=()
    for word in "$@"; do [[ $word == @* ]] && flags+=("${word#@}"); done
    stamp=stamps/$({ cat "$script" "${flags[@]}" && printf '%s\n' "$pattern" "$@" "$plain" "$fault" && "$1" --version; } | sha256sum | cut -d ' ' -f 1)
    if [ -e "$stamp" ]; then
        echo "passed before, and nothing changed"
        exit 0
    fi
fi

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
if [ -n "${stamp-}" ]; then mkdir -p stamps && : >"$stamp"; fi
