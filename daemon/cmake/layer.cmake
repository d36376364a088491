# SPDX-License-Identifier: MIT
# rta_layer(NAME [PATH FOLDER] [COLD] [SOURCES ...] [PUBLIC ...] [PRIVATE ...]): one folder is one target, rta_NAME.
#
# A header is included by its path below daemon/ or client/: "graph/edit.h", "rtactl/language/lexer.h". PATH is that
# path if it differs from NAME. Each layer has an include folder that contains only that layer. A target therefore sees
# the layers that it links, and those that their headers need (PUBLIC), and no others: a wrong include fails the build.
# PRIVATE: layers and libraries that only the sources need.
# COLD: speed does not matter, so a release compiles the layer with -O1 (docs/decisions/0008-build-time.md).
function(rta_layer name)
    cmake_parse_arguments(LAYER "COLD" "PATH" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
    if(LAYER_UNPARSED_ARGUMENTS)
        message(FATAL_ERROR "rta_layer(${name}): unknown arguments '${LAYER_UNPARSED_ARGUMENTS}'")
    endif()
    if(NOT LAYER_PATH)
        set(LAYER_PATH ${name})
    endif()
    set(include_dir ${CMAKE_BINARY_DIR}/include/${name})
    cmake_path(GET LAYER_PATH PARENT_PATH parent)
    file(MAKE_DIRECTORY ${include_dir}/${parent})
    file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${include_dir}/${LAYER_PATH} SYMBOLIC)

    if(LAYER_SOURCES)
        add_library(rta_${name} STATIC ${LAYER_SOURCES})
        target_include_directories(rta_${name} PUBLIC ${include_dir})
        target_link_libraries(rta_${name} PUBLIC rta_options ${LAYER_PUBLIC} PRIVATE ${LAYER_PRIVATE})
        # Headers of protobuf, Asio and CLI11 are most of what a layer compiles, so unity builds read them once for many
        # sources.
        set_target_properties(rta_${name} PROPERTIES UNITY_BUILD_BATCH_SIZE 16)
        if(LAYER_COLD)
            target_compile_options(rta_${name} PRIVATE $<$<CONFIG:Release>:-O1>)
        endif()
    else()
        add_library(rta_${name} INTERFACE)
        target_include_directories(rta_${name} INTERFACE ${include_dir})
        target_link_libraries(rta_${name} INTERFACE rta_options ${LAYER_PUBLIC})
    endif()
endfunction()
