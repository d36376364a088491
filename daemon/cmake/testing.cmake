# SPDX-License-Identifier: MIT
# Functions for the CMakeLists.txt under tests/.
include(GoogleTest)

# rta_test(NAME [SHARDS N] SOURCES ... [DEPENDS ...] [LABELS ...] [PROPERTIES ...]): one GoogleTest program.
# DEPENDS are link libraries; PROPERTIES go to each test (TIMEOUT 600 and the like).
#
# ctest runs the program in N processes, each with its share of the tests; one process if SHARDS is left out. A process
# for each of thousands of tests costs more than most of the tests, above all under a sanitizer. With SHARDS 0, ctest
# lists each test by its name and runs it in its own process. The label `timing` marks programs that depend on the
# machine's timing: tests/run.sh runs them alone, at the end.
function(rta_test name)
    cmake_parse_arguments(TEST "" "SHARDS" "SOURCES;DEPENDS;LABELS;PROPERTIES" ${ARGN})
    if(TEST_UNPARSED_ARGUMENTS OR NOT TEST_SOURCES)
        message(FATAL_ERROR "rta_test(${name}): write SOURCES, then the files (left over: '${TEST_UNPARSED_ARGUMENTS}')")
    endif()
    add_executable(${name} ${TEST_SOURCES})
    target_link_libraries(${name} PRIVATE rta_options ${TEST_DEPENDS} GTest::gtest_main)
    set(properties ${TEST_PROPERTIES})
    if(TEST_LABELS)
        list(APPEND properties LABELS "${TEST_LABELS}")
    endif()
    if(NOT "TIMEOUT" IN_LIST properties)
        # Stops a test that hangs. Sanitizers on a slow machine take far less time.
        list(APPEND properties TIMEOUT 300)
    endif()
    if(NOT DEFINED TEST_SHARDS)
        set(TEST_SHARDS 1)
    endif()
    if(TEST_SHARDS EQUAL 0)
        gtest_discover_tests(${name} DISCOVERY_TIMEOUT 60 TEST_PREFIX "${name}/" PROPERTIES ${properties})
        return()
    endif()
    foreach(shard RANGE 1 ${TEST_SHARDS})
        math(EXPR index "${shard} - 1")
        set(test ${name}/${shard})
        add_test(NAME ${test} COMMAND ${name})
        set_tests_properties(${test} PROPERTIES ${properties}
            ENVIRONMENT "GTEST_TOTAL_SHARDS=${TEST_SHARDS};GTEST_SHARD_INDEX=${index}"
            SKIP_REGULAR_EXPRESSION "  SKIPPED ")
    endforeach()
endfunction()

# rta_fuzz_target(NAME SOURCES ... [DEPENDS ...] CORPUS DIR [RUNS N]): a libFuzzer program, for the preset `fuzz` only.
# ctest runs it for a fixed number of inputs with a fixed seed, starting from DIR, to which it does not write.
function(rta_fuzz_target name)
    cmake_parse_arguments(FUZZ "" "CORPUS;RUNS" "SOURCES;DEPENDS" ${ARGN})
    if(FUZZ_UNPARSED_ARGUMENTS OR NOT FUZZ_SOURCES OR NOT FUZZ_CORPUS)
        message(FATAL_ERROR "rta_fuzz_target(${name}): SOURCES and CORPUS are needed (left over: '${FUZZ_UNPARSED_ARGUMENTS}')")
    endif()
    if(NOT FUZZ_RUNS)
        set(FUZZ_RUNS 100000)
    endif()
    cmake_path(ABSOLUTE_PATH FUZZ_CORPUS BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} NORMALIZE)
    if(NOT IS_DIRECTORY ${FUZZ_CORPUS})
        message(FATAL_ERROR "rta_fuzz_target(${name}): corpus not found: ${FUZZ_CORPUS}")
    endif()
    add_executable(${name} ${FUZZ_SOURCES})
    target_link_libraries(${name} PRIVATE rta_options ${FUZZ_DEPENDS})
    target_link_options(${name} PRIVATE -fsanitize=fuzzer)
    add_dependencies(fuzz_targets ${name})
    set(found ${CMAKE_CURRENT_BINARY_DIR}/${name}_found)
    file(MAKE_DIRECTORY ${found})
    add_test(NAME fuzz/${name}
        COMMAND ${name} -runs=${FUZZ_RUNS} -seed=1 -max_len=65536 -timeout=25 -rss_limit_mb=4096
                -artifact_prefix=${found}/ ${found} ${FUZZ_CORPUS})
    set_tests_properties(fuzz/${name} PROPERTIES LABELS fuzz TIMEOUT 900)
endfunction()
