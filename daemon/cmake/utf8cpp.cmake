# SPDX-License-Identifier: MIT
# rta_utf8cpp: the headers of UTF8-CPP (libutfcpp) and nothing else, through a separate folder, as in rapidjson.cmake.
find_path(UTF8CPP_INCLUDE_DIR utf8/unchecked.h PATHS /usr/include/utf8cpp /usr/include REQUIRED NO_CMAKE_FIND_ROOT_PATH)
set(utf8cpp_dir ${CMAKE_BINARY_DIR}/include/third_party_utf8cpp)
file(MAKE_DIRECTORY ${utf8cpp_dir})
file(CREATE_LINK ${UTF8CPP_INCLUDE_DIR}/utf8 ${utf8cpp_dir}/utf8 SYMBOLIC)
add_library(rta_utf8cpp INTERFACE)
target_include_directories(rta_utf8cpp SYSTEM INTERFACE ${utf8cpp_dir})
