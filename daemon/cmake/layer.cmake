# SPDX-License-Identifier: MIT
# rta_layer(NAME [SOURCES ...] [DEPENDS ...]): one folder is one target.
#
# The headers of daemon/NAME are reached as "NAME/file.h" through an include folder that holds nothing but that layer,
# so a target sees the layers it links and no others: a wrong include fails the build.
function(rta_layer name)
    cmake_parse_arguments(LAYER "" "FOLDER" "SOURCES;DEPENDS" ${ARGN})
    if(NOT LAYER_FOLDER)
        set(LAYER_FOLDER ${CMAKE_CURRENT_SOURCE_DIR})
    endif()
    set(include_dir ${CMAKE_BINARY_DIR}/include/${name})
    file(MAKE_DIRECTORY ${include_dir})
    file(CREATE_LINK ${LAYER_FOLDER} ${include_dir}/${name} SYMBOLIC)

    # While folders are landing: sources that are not there yet are left out; run cmake again when they are.
    set(present "")
    foreach(source IN LISTS LAYER_SOURCES)
        cmake_path(ABSOLUTE_PATH source BASE_DIRECTORY ${CMAKE_CURRENT_SOURCE_DIR} OUTPUT_VARIABLE path)
        if(EXISTS ${path})
            list(APPEND present ${source})
        endif()
    endforeach()
    if(LAYER_SOURCES AND NOT present)
        file(WRITE ${CMAKE_BINARY_DIR}/landing/${name}.cpp "")
        set(present ${CMAKE_BINARY_DIR}/landing/${name}.cpp)
    endif()
    set(LAYER_SOURCES ${present})

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

# rta_folder(PATH): add_subdirectory of a folder that has landed.
function(rta_folder path)
    if(EXISTS ${CMAKE_CURRENT_SOURCE_DIR}/${path}/CMakeLists.txt)
        add_subdirectory(${path})
    endif()
endfunction()
