# SPDX-License-Identifier: MIT
# rta_registry(TEMPLATE SOURCES ... TYPE TYPE NAMESPACE NAMESPACE [SYMBOL SYMBOL]): writes the table of what the files
# of a folder define.
#
# Each file, such as graph_save.cpp, defines one constant of the TYPE in the NAMESPACE, named after the file:
# kGraphSave. With SYMBOL the constant has that name in every file, and the file its own namespace:
# NAMESPACE::graph_save::SYMBOL. The template's @registry_declarations@ and @registry_entries@ become their declarations
# and their addresses, sorted by file name. The result has the template's name without ".in".
function(rta_registry template)
    cmake_parse_arguments(REGISTRY "" "TYPE;NAMESPACE;SYMBOL" "SOURCES" ${ARGN})
    list(SORT REGISTRY_SOURCES)
    set(registry_declarations "")
    set(registry_entries "")
    foreach(source IN LISTS REGISTRY_SOURCES)
        cmake_path(GET source STEM stem)
        if(REGISTRY_SYMBOL)
            string(APPEND registry_declarations "namespace ${stem} {\nextern const ${REGISTRY_TYPE} ${REGISTRY_SYMBOL};\n}\n")
            string(APPEND registry_entries "        &${REGISTRY_NAMESPACE}::${stem}::${REGISTRY_SYMBOL},\n")
            continue()
        endif()
        string(REPLACE "_" ";" words ${stem})
        set(symbol "k")
        foreach(word IN LISTS words)
            string(SUBSTRING ${word} 0 1 head)
            string(SUBSTRING ${word} 1 -1 tail)
            string(TOUPPER ${head} head)
            string(APPEND symbol ${head}${tail})
        endforeach()
        string(APPEND registry_declarations "extern const ${REGISTRY_TYPE} ${symbol};\n")
        string(APPEND registry_entries "        &${REGISTRY_NAMESPACE}::${symbol},\n")
    endforeach()
    cmake_path(GET template STEM LAST_ONLY result)
    configure_file(${template} ${CMAKE_CURRENT_BINARY_DIR}/${result} @ONLY)
endfunction()
