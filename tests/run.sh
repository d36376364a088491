#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# Installs missing packages on Debian 12, builds, and runs tests. Run it as root or with sudo, from any directory:
#
#   tests/run.sh                     release build and all of its tests
#   tests/run.sh --quick             release build, without e2e, stress, compile_fail and timing tests
#   tests/run.sh --all               everything: formatting, release, sanitizers, fuzz targets, WebAssembly, clang-tidy, mypy
#   tests/run.sh --only tsan,wasm    only these steps of --all: format release asan tsan rtsan fuzz wasm tidy
#
# RTA_STRESS_ITEMS=100000000 tests/run.sh sends that many items through the ring in the stress tests (default 10000000,
# in step tsan 2000000).
#
# RTA_FUZZ_SECONDS=3600 tests/run.sh --only fuzz runs each fuzz target for that long, after the usual runs.
#
# The last line is "N passed, N failed": tests and checks together. A check that cannot run and a test that was skipped
# count as failures. Tests with the label `timing` depend on the machine's timing: they run alone at the end of their
# step, and those that fail run a second time. A test that passes only then is reported as "flaky: NAME".
# Logs are in build/logs.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
. daemon/packages.sh

export LC_ALL=C.UTF-8
export CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-5G}
# Shares compiled objects between checkouts of the same sources.
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1
export ASAN_SYMBOLIZER_PATH=/usr/bin/llvm-symbolizer-22
export TSAN_OPTIONS=external_symbolizer_path=$ASAN_SYMBOLIZER_PATH RTSAN_OPTIONS=external_symbolizer_path=$ASAN_SYMBOLIZER_PATH
jobs=$(nproc)
log_dir=$PWD/build/logs
mkdir -p "$log_dir"

usage() {
    sed -n '3,13s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2
    exit 2
}

all_steps=(format release asan tsan rtsan fuzz wasm tidy)
steps=(release)
quick=no
case ${1-} in
    '') ;;
    --quick) quick=yes ;;
    --all) steps=("${all_steps[@]}") ;;
    --only) IFS=, read -r -a steps <<<"${2-}" ;;
    *) usage ;;
esac
[ ${#steps[@]} -gt 0 ] || usage
for step in "${steps[@]}"; do
    [[ " ${all_steps[*]} " == *" $step "* ]] || usage
done

passed=0 failed=0 step_number=0
summary=() flaky=()
step="" step_passed=0 step_failed=0 child=""

trap 'if [ -n "$child" ]; then kill "$child" 2>/dev/null; fi; echo; echo "interrupted"; exit 130' INT TERM

say() { printf '[%d/%d] %s\n' "$step_number" "${#steps[@]}" "$*"; }

# gate TEXT STATUS: counts one check that is not a ctest test.
gate() {
    if [ "$2" -eq 0 ]; then
        step_passed=$((step_passed + 1))
    else
        step_failed=$((step_failed + 1))
        say "FAILED: $1"
    fi
    return "$2"
}

# run TEXT LOG COMMAND...: runs the command with its output in build/logs/LOG, and reports its progress twice a minute.
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

# junit_count FILE NAME: prints the attribute NAME of the test suite in a JUnit file, or 0 if it is missing.
junit_count() {
    local value
    value=$(grep -m 1 -A 6 '<testsuite' "$1" 2>/dev/null | tr '\n' ' ' | grep -oE "[[:space:]]$2=\"[0-9]+\"" | grep -oE '[0-9]+')
    echo "${value:-0}"
}

# run_ctest PRESET NAME [CTEST ARGUMENTS...]: sets `tests` and `bad`. Skipped and disabled tests are failures, and so is
# a ctest that stopped before it could count anything.
run_ctest() {
    local preset=$1 name=$2 junit=$log_dir/$2-junit.xml count status
    shift 2
    rm -f "$junit"
    run "test $name" "$name-test.log" \
        ctest --test-dir "build/$preset" --output-on-failure --no-tests=ignore --output-junit "$junit" "$@"
    status=$?
    tests=$(junit_count "$junit" tests) bad=0
    for count in failures disabled skipped; do bad=$((bad + $(junit_count "$junit" $count))); done
    if [ $status -ne 0 ] && [ "$bad" -eq 0 ]; then bad=1 tests=$((tests + 1)); fi
}

# show_failed_tests NAME: prints the output of the failed tests.
show_failed_tests() {
    grep -vE '^ *[0-9]+/[0-9]+ Test .* Passed |^ *Start +[0-9]+:' "$log_dir/$1-test.log" | tail -n 400 | sed 's/^/    /'
}

# failed_tests NAME: prints the names of the failed tests, one per line.
failed_tests() { grep -oE '<testcase name="[^"]*"[^>]*status="fail"' "$log_dir/$1-junit.xml" | cut -d '"' -f 2; }

# test_preset PRESET [CTEST ARGUMENTS...]: runs all tests of a preset that are built, those with the label `timing`
# last.
test_preset() {
    local preset=$1 tests bad all bad_in_all name
    shift
    run_ctest "$preset" "$preset" -LE "timing${exclude:+|$exclude}" -j "$jobs" "$@"
    all=$tests bad_in_all=$bad
    if [ "$tests" -eq 0 ]; then all=1 bad_in_all=1; fi
    [ "$bad" -eq 0 ] || show_failed_tests "$preset"

    tests=0 bad=0
    [ $quick = yes ] || run_ctest "$preset" "$preset-timing" -L timing -j 1 "$@"
    all=$((all + tests))
    if [ "$bad" -ne 0 ]; then
        local failed_first
        mapfile -t failed_first < <(failed_tests "$preset-timing")
        show_failed_tests "$preset-timing"
        run_ctest "$preset" "$preset-timing-again" -L timing --rerun-failed -j 1
        for name in "${failed_first[@]}"; do
            grep -qxF "$name" <(failed_tests "$preset-timing-again") || flaky+=("$name ($preset)")
        done
        [ "$bad" -eq 0 ] || show_failed_tests "$preset-timing-again"
    fi
    bad_in_all=$((bad_in_all + bad))

    step_passed=$((step_passed + all - bad_in_all))
    step_failed=$((step_failed + bad_in_all))
    say "$preset: $((all - bad_in_all)) passed, $bad_in_all failed"
    [ "$bad_in_all" -eq 0 ]
}

tracked() { git -c safe.directory="$PWD" ls-files -- "$@"; }

step_format() {
    local files
    mapfile -t files < <(tracked '*.cpp' '*.h')
    run "clang-format, ${#files[@]} files" format.log clang-format-22 --dry-run -Werror "${files[@]}"
    gate "clang-format (clang-format-22 -i repairs it)" $? || grep -oE '^[^:]+:[0-9]+' "$log_dir/format.log" | sort -u -t: -k1,1 | sed 's/^/    /'
}

step_release() {
    local exclude=''
    if [ $quick = yes ]; then exclude='e2e|compile_fail|stress'; fi
    build release && test_preset release
}

step_asan() { build asan && test_preset asan; }
step_tsan() {
    # ThreadSanitizer detects missing ordering even if the two accesses do not coincide, so fewer items suffice.
    build tsan && RTA_STRESS_ITEMS=${RTA_STRESS_ITEMS:-2000000} test_preset tsan
}
step_rtsan() { build rtsan && test_preset rtsan; }
step_fuzz() {
    build fuzz fuzz_targets && test_preset fuzz
    [ -n "${RTA_FUZZ_SECONDS-}" ] || return
    local target name corpus found
    for target in build/fuzz/bin/*_fuzz; do
        name=${target##*/} corpus=tests/fuzz/corpus/${target##*/}
        corpus=${corpus%_fuzz}
        # live_request_fuzz has the inputs of request_fuzz.
        [ -d "$corpus" ] || corpus=${corpus/live_/}
        found=build/fuzz/found/$name
        mkdir -p "$found"
        run "fuzz $name for $RTA_FUZZ_SECONDS s" "fuzz-$name.log" "$target" -max_total_time="$RTA_FUZZ_SECONDS" \
            -max_len=65536 -timeout=25 -rss_limit_mb=4096 -artifact_prefix="$found/" "$found" "$corpus"
        gate "$name" $? || show_failure "fuzz-$name.log"
    done
}

step_wasm() {
    # This test compares the output of the module with that of rtad.
    build release rtad && build wasm && test_preset wasm
}

step_tidy() {
    # The tests are exempt, because the macros of GoogleTest cause too many findings. The translation units are those of
    # the unity build, which reads each header once for several sources. Unchanged units without findings are skipped.
    run "configure for clang-tidy" tidy-configure.log cmake --preset asan || { gate "configuring for clang-tidy" 1; return; }
    run "generate for clang-tidy" tidy-generate.log cmake --build build/asan --target rta_proto || { gate "protocol for clang-tidy" 1; return; }
    run "clang-tidy" tidy.log /usr/bin/python3 tests/tidy.py build/asan build/tidy "$jobs"
    gate "clang-tidy" $? || grep -E 'error:|warning:' "$log_dir/tidy.log" | sort -u | head -n 60 | sed 's/^/    /'
    run "mypy" mypy.log cmake --build build/asan --target python_types
    gate "mypy" $? || show_failure mypy.log
}

finish() {
    printf '\n%-10s %8s %8s %8s\n' step passed failed seconds
    printf '%s\n' "${summary[@]}"
    [ ${#flaky[@]} -eq 0 ] || printf '\nflaky: %s\n' "${flaky[@]}"
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
groups=(build) tools=(g++ cmake ninja ccache)
if [ $quick = no ]; then groups+=(test) tools+=(node npm jackd gnuplot pulseaudio parec clang++-22 wasm-ld-22); fi
if [ "${steps[*]}" != release ]; then
    groups+=(check) tools+=(clang++-22 clang-format-22 clang-tidy-22 llvm-symbolizer-22 wasm-ld-22)
fi
install_packages "${groups[@]}"
gate "installing packages" $? || { end_step; finish; }
missing=()
for tool in "${tools[@]}"; do command -v "$tool" >/dev/null || missing+=("$tool"); done
gate "missing programs: ${missing[*]}" ${#missing[@]}
end_step

for step in "${steps[@]}"; do
    step_number=$((step_number + 1)) step_start=$SECONDS
    "step_$step"
    end_step
done
finish
