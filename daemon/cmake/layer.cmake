# SPDX-License-Identifier: MIT
# rta_layer(NAME [SOURCES ...] [DEPENDS ...]): one folder is one target.
#
# The headers of the folder are reached as "NAME/file.h" through an include folder that holds nothing but that layer,
# so a target sees the layers it links and no others: a wrong include fails the build.
function(rta_layer name)
    cmake_parse_arguments(LAYER "" "" "SOURCES;DEPENDS" ${ARGN})
    set(include_dir ${CMAKE_BINARY_DIR}/include/${name})
    file(MAKE_DIRECTORY ${include_dir})
    file(CREATE_LINK ${CMAKE_CURRENT_SOURCE_DIR} ${include_dir}/${name} SYMBOLIC)

    if(LAYER_SOURCES)
        add_library(rta_${name} STATIC ${LAYER_SOURCES})
        target_include_directories(rta_${name} PUBLIC ${include_dir})
        target_link_libraries(rta_${name} PUBLIC rta_options ${LAYER_DEPENDS})
    else()
        add_library(rta_${name} INTERFACE)
        target_include_directories(rta_${name} INTERFACE ${include_dir})
        target_link_libraries(rta_${name} INTERFACE rta_options ${LAYER_DEPENDS})
    endif()
endfunction()
