# SPDX-License-Identifier: MIT
# Flags of every target of the project: warnings (as errors) and code generation.
add_library(rta_options INTERFACE)

# In a unity build several sources are one translation unit (docs/decisions/0008-build-time.md). A local name may shadow
# a constant of another file, and GCC warns about types in anonymous namespaces as if each source were a header.
set(shadow -Wshadow)
if(CMAKE_UNITY_BUILD AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    set(shadow -Wshadow=local -Wno-subobject-linkage)
elseif(CMAKE_UNITY_BUILD)
    set(shadow -Wno-shadow)
endif()

target_compile_options(rta_options INTERFACE
    -Wall -Wextra -Wpedantic -Werror ${shadow} -Wconversion -Wsign-conversion -Wold-style-cast -Wnon-virtual-dtor
    -Woverloaded-virtual -Wnull-dereference -Wimplicit-fallthrough
    # Two compilers must agree on every bit: fused multiply-add only where it is written.
    -ffp-contract=off)

if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
    # The compiler checks that the audio thread does not block.
    target_compile_options(rta_options INTERFACE -Werror=function-effects -Wfunction-effects)
    if(RTA_NATIVE)
        # Asio 1.22 does not recognise the coroutines of Clang 22.
        target_compile_definitions(rta_options INTERFACE ASIO_HAS_CO_AWAIT=1 ASIO_HAS_STD_COROUTINE=1)
    endif()
else()
    # GCC 12 does not know [[clang::nonblocking]], and reports paths through inlined library code that cannot happen.
    target_compile_options(rta_options INTERFACE -Wno-attributes=clang:: -Wno-null-dereference -Wno-restrict)
endif()

if(CMAKE_SYSTEM_PROCESSOR STREQUAL "x86_64")
    target_compile_options(rta_options INTERFACE -march=x86-64-v2)
endif()

if(RTA_SANITIZE)
    # A sanitizer error ends the program, so that the test fails.
    target_compile_options(rta_options INTERFACE -fsanitize=${RTA_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    target_link_options(rta_options INTERFACE -fsanitize=${RTA_SANITIZE})
endif()
if(RTA_NATIVE AND (RTA_SANITIZE MATCHES "address" OR CMAKE_BUILD_TYPE STREQUAL "Debug"))
    # span, vector and optional check their bounds too.
    target_compile_definitions(rta_options INTERFACE _GLIBCXX_ASSERTIONS)
endif()
