# SPDX-License-Identifier: MIT
# rta_asio: the macros with which everything that shares Asio's objects must be compiled.
# ASIO_HAS_STD_ALIGNED_ALLOC: without it, Asio 1.22 decides by the headers included before it. Two files that decide
# differently would allocate coroutines with one function and free them with another.
add_library(rta_asio INTERFACE)
target_compile_definitions(rta_asio INTERFACE ASIO_STANDALONE ASIO_NO_DEPRECATED ASIO_HAS_STD_ALIGNED_ALLOC=1)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND RTA_SANITIZE MATCHES "thread")
    # GCC's ThreadSanitizer does not model the standalone fences that Asio 1.22 uses around handlers.
    target_compile_definitions(rta_asio INTERFACE ASIO_DISABLE_FENCED_BLOCK)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # GCC 12 compares Asio's allocation of coroutines, where it inlines it, with the wrong operator delete.
    target_compile_options(rta_asio INTERFACE -Wno-mismatched-new-delete)
endif()
