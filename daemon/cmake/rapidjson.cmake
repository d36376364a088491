# SPDX-License-Identifier: MIT
# rta_rapidjson: the headers of RapidJSON and nothing else, through a separate folder. WebAssembly must not see the
# rest of the system's include folder, which is for another architecture.
find_path(RAPIDJSON_INCLUDE_DIR rapidjson/rapidjson.h PATHS /usr/include REQUIRED NO_CMAKE_FIND_ROOT_PATH)
set(rapidjson_dir ${CMAKE_BINARY_DIR}/include/third_party)
file(MAKE_DIRECTORY ${rapidjson_dir})
file(CREATE_LINK ${RAPIDJSON_INCLUDE_DIR}/rapidjson ${rapidjson_dir}/rapidjson SYMBOLIC)
add_library(rta_rapidjson INTERFACE)
target_include_directories(rta_rapidjson SYSTEM INTERFACE ${rapidjson_dir})
if(RTA_SANITIZE MATCHES "undefined")
    target_compile_options(rta_rapidjson INTERFACE -fsanitize-ignorelist=${CMAKE_CURRENT_LIST_DIR}/rapidjson_ignorelist.txt)
endif()
