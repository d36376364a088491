# SPDX-License-Identifier: MIT
# rta_highway: the headers of Highway and nothing else, through a separate folder. WebAssembly must not see the rest of
# the system's include folder, which is for another architecture. The library detects the CPU's features at run time;
# WebAssembly has one target and needs only the headers.
find_path(HIGHWAY_INCLUDE_DIR hwy/highway.h PATHS /usr/include REQUIRED NO_CMAKE_FIND_ROOT_PATH)
set(highway_dir ${CMAKE_BINARY_DIR}/include/highway)
file(MAKE_DIRECTORY ${highway_dir})
file(CREATE_LINK ${HIGHWAY_INCLUDE_DIR}/hwy ${highway_dir}/hwy SYMBOLIC)
add_library(rta_highway INTERFACE)
target_include_directories(rta_highway SYSTEM INTERFACE ${highway_dir})
# The baseline is x86-64-v2, which has SSE4.2 but not the AES instructions that Highway requires of an SSE4 target;
# no kernel needs them.
target_compile_definitions(rta_highway INTERFACE HWY_DISABLE_PCLMUL_AES)
if(RTA_NATIVE)
    find_library(HIGHWAY_LIBRARY hwy REQUIRED)
    target_link_libraries(rta_highway INTERFACE ${HIGHWAY_LIBRARY})
endif()
