#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs what is missing on Debian 12, builds everything and runs every test. As root or with sudo, from anywhere:
#
#   tests/run.sh                     all of it
#   tests/run.sh --quick             the inner loop: GCC release build, without the slow and the end-to-end tests
#   tests/run.sh --only tsan,wasm    some of the steps (named in the table at the end)
#
# The last line is "N passed, N failed": tests and gates together. A check that cannot run, and a test that was skipped,
# count as failed. Logs are in build/logs.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. daemon/packages.sh

export LC_ALL=C.UTF-8
export CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-5G}
# Another checkout of the same sources finds what this one has compiled.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
export ASAN_SYMBOLIZER_PATH=/usr/bin/llvm-symbolizer-22
export TSAN_OPTIONS=external_symbolizer_path=$ASAN_SYMBOLIZER_PATH RTSAN_OPTIONS=external_symbolizer_path=$ASAN_SYMBOLIZER_PATH
jobs=$(nproc)
log_dir=$PWD/build/logs
mkdir -p "$log_dir"

usage() {
    sed -n 's/^# \{0,1\}//; 3,8p' "${BASH_SOURCE[0]}" >&2
    exit 2
}

all_steps=(format release asan tsan rtsan fuzz wasm tidy)
steps=("${all_steps[@]}")
quick=no
case ${1-} in
    '') ;;
    --quick) quick=yes steps=(release) ;;
    --only) IFS=, read -r -a steps <<<"${2-}" ;;
    *) usage ;;
esac
[ ${#steps[@]} -gt 0 ] || usage
for step in "${steps[@]}"; do
    [[ " ${all_steps[*]} " == *" $step "* ]] || usage
done

passed=0 failed=0 step_number=0
summary=()
step="" step_passed=0 step_failed=0 child=""

trap 'if [ -n "$child" ]; then kill "$child" 2>/dev/null; fi; echo; echo "interrupted"; exit 130' INT TERM

say() { printf '[%d/%d] %s\n' "$step_number" "${#steps[@]}" "$*"; }

# gate TEXT STATUS: one check that is no ctest test.
gate() {
    if [ "$2" -eq 0 ]; then
        step_passed=$((step_passed + 1))
    else
        step_failed=$((step_failed + 1))
        say "FAILED: $1"
    fi
    return "$2"
}

# run TEXT LOG COMMAND...: runs the command with its output in build/logs/LOG, and tells twice a minute how far it is.
run() {
    local text=$1 log=$log_dir/$2 start=$SECONDS next=$((SECONDS + 30)) status
    shift 2
    "$@" >"$log" 2>&1 &
    child=$!
    while kill -0 "$child" 2>/dev/null; do
        sleep 0.2
        if [ "$SECONDS" -ge "$next" ]; then
            next=$((SECONDS + 30))
            say "  $text, $((SECONDS - start)) s: $(tail -n 1 "$log" | cut -c 1-110)"
        fi
    done
    wait "$child"
    status=$?
    child=""
    say "$text: $((SECONDS - start)) s$([ $status -eq 0 ] || echo ", status $status, log $log")"
    return $status
}

show_failure() { tail -n "${2:-60}" "$log_dir/$1" | sed 's/^/    /'; }

# build PRESET [TARGET...]: configures and builds.
build() {
    local preset=$1 targets=()
    shift
    [ $# -eq 0 ] || targets=(--target "$@")
    if ! run "configure $preset" "$preset-configure.log" cmake --preset "$preset"; then
        show_failure "$preset-configure.log"
        gate "configuring preset $preset" 1
        return 1
    fi
    if ! run "build $preset" "$preset-build.log" cmake --build "build/$preset" -j "$jobs" "${targets[@]}"; then
        grep -E '(error|FAILED|undefined reference):? ' "$log_dir/$preset-build.log" | grep -v '^ccache ' | head -n 60 | sed 's/^/    /'
        gate "building preset $preset" 1
        return 1
    fi
    gate "building preset $preset" 0
}

# test_preset PRESET [CTEST ARGUMENTS...]: every test of a preset that is built. Skipped and disabled tests are failures.
test_preset() {
    local preset=$1 junit=$log_dir/$1-junit.xml suite tests=0 bad=0 count
    shift
    rm -f "$junit"
    run "test $preset" "$preset-test.log" \
        ctest --test-dir "build/$preset" --output-on-failure --no-tests=error -j "$jobs" --output-junit "$junit" "$@"
    local status=$?
    suite=$(grep -m 1 -A 6 '<testsuite' "$junit" 2>/dev/null | tr '\n' ' ')
    for count in tests failures disabled skipped; do
        local value
        value=$(grep -oE "[[:space:]]$count=\"[0-9]+\"" <<<"$suite" | grep -oE '[0-9]+')
        if [ "$count" = tests ]; then tests=${value:-0}; else bad=$((bad + ${value:-0})); fi
    done
    # A ctest that broke off before it could count anything is a failure of its own.
    if [ "$tests" -eq 0 ] || { [ $status -ne 0 ] && [ "$bad" -eq 0 ]; }; then bad=$((bad + 1)) tests=$((tests + 1)); fi
    step_passed=$((step_passed + tests - bad))
    step_failed=$((step_failed + bad))
    say "$preset: $((tests - bad)) passed, $bad failed"
    if [ "$bad" -ne 0 ]; then
        grep -vE '^ *[0-9]+/[0-9]+ Test .* Passed |^ *Start +[0-9]+:' "$log_dir/$preset-test.log" | tail -n 400 | sed 's/^/    /'
    fi
    [ "$bad" -eq 0 ]
}

tracked() { git -c safe.directory="$PWD" ls-files -- "$@"; }

step_format() {
    local files
    mapfile -t files < <(tracked '*.cpp' '*.h')
    run "clang-format, ${#files[@]} files" format.log clang-format-22 --dry-run -Werror "${files[@]}"
    gate "clang-format (clang-format-22 -i mends it)" $? || grep -oE '^[^:]+:[0-9]+' "$log_dir/format.log" | sort -u -t: -k1,1 | sed 's/^/    /'
}

step_release() {
    build release || return
    if [ $quick = yes ]; then
        test_preset release -LE 'e2e|slow|compile_fail'
    else
        test_preset release
    fi
}

step_asan() { build asan && test_preset asan; }
step_tsan() { build tsan && test_preset tsan; }
step_rtsan() { build rtsan && test_preset rtsan; }
step_fuzz() { build fuzz fuzz_targets && test_preset fuzz; }

step_wasm() {
    # What the module renders is compared with what rtad renders.
    build release rtad && build wasm && test_preset wasm
}

step_tidy() {
    # Sources only: headers are checked through those that include them. The tests are exempt: GoogleTest's macros drown
    # the findings.
    local files
    run "configure for clang-tidy" tidy-configure.log cmake --preset rtsan || { gate "configuring for clang-tidy" 1; return; }
    run "generate for clang-tidy" tidy-generate.log cmake --build build/rtsan --target rta_proto || { gate "protocol for clang-tidy" 1; return; }
    mapfile -t files < <(tracked 'daemon/*.cpp' 'client/*.cpp' ':!daemon/wasm')
    # shellcheck disable=SC2016
    run "clang-tidy, ${#files[@]} files" tidy.log \
        bash -c 'printf "%s\0" "${@:2}" | xargs -0 -t -n 1 -P "$1" clang-tidy-22 -p build/rtsan --quiet' tidy "$jobs" "${files[@]}"
    gate "clang-tidy" $? || grep -E 'error:|warning:' "$log_dir/tidy.log" | sort -u | head -n 60 | sed 's/^/    /'
}

finish() {
    printf '\n%-10s %8s %8s %8s\n' step passed failed seconds
    printf '%s\n' "${summary[@]}"
    printf '\n%d passed, %d failed\n' "$passed" "$failed"
    [ "$failed" -eq 0 ]
    exit
}

end_step() {
    passed=$((passed + step_passed)) failed=$((failed + step_failed))
    summary+=("$(printf '%-10s %8d %8d %8d' "$step" "$step_passed" "$step_failed" $((SECONDS - step_start)))")
    step_passed=0 step_failed=0
}

step=setup step_start=$SECONDS
if [ $quick = yes ]; then groups=(build) tools=(g++ cmake ninja ccache); else
    groups=(build test)
    tools=(g++ cmake ninja ccache clang++-22 clang-format-22 clang-tidy-22 llvm-symbolizer-22 wasm-ld-22 node npm jackd gnuplot)
fi
install_packages "${groups[@]}"
gate "installing packages" $? || { end_step; finish; }
missing=()
for tool in "${tools[@]}"; do command -v "$tool" >/dev/null || missing+=("$tool"); done
gate "these programs are needed and are not there: ${missing[*]}" ${#missing[@]}
end_step

for step in "${steps[@]}"; do
    step_number=$((step_number + 1)) step_start=$SECONDS
    "step_$step"
    end_step
done
finish
