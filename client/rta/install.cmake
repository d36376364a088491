# SPDX-License-Identifier: MIT
# What a C++ program needs to use the library: one library file, the public headers, a CMake package and a pkg-config
# file. Headers that are not listed here are internal: a public header must not include them.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(public_headers async_client.h client.h client_options.h edits.h error.h graph_mirror.h recall_options.h subscription.h tls_options.h undo_options.h)

# One file with the objects of all folders that the client needs; static, or shared with BUILD_SHARED_LIBS.
add_library(rta $<TARGET_OBJECTS:rta_client> $<TARGET_OBJECTS:rta_frame> $<TARGET_OBJECTS:rta_os>
                $<TARGET_OBJECTS:rta_proto> $<TARGET_OBJECTS:rta_text> $<TARGET_OBJECTS:rta_tls>)
set_target_properties(rta PROPERTIES EXPORT_NAME client LINKER_LANGUAGE CXX
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
target_link_libraries(rta PUBLIC protobuf::libprotobuf Threads::Threads)
target_compile_features(rta INTERFACE cxx_std_23)
target_include_directories(rta INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
# See daemon/cmake/asio.cmake. The last two: Asio 1.22 does not recognise the coroutines of recent Clangs.
set(asio_definitions ASIO_STANDALONE ASIO_HAS_STD_ALIGNED_ALLOC=1 ASIO_HAS_CO_AWAIT=1 ASIO_HAS_STD_COROUTINE=1)
target_compile_definitions(rta INTERFACE ${asio_definitions})

# Libraries that only the sources need: a program must link them, too, if the library is static.
target_link_libraries(rta PRIVATE OpenSSL::SSL OpenSSL::Crypto)
set(rta_packages "find_dependency(OpenSSL 3.0)")
set(rta_pkgconfig_private "openssl >= 3.0")

install(TARGETS rta EXPORT rta-targets DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(FILES ${public_headers} DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/rta)
install(DIRECTORY ${PROJECT_BINARY_DIR}/proto/generated/rta/v1 DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/rta
    FILES_MATCHING PATTERN "*.pb.h")

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/rta)
configure_package_config_file(rta-config.cmake.in ${CMAKE_CURRENT_BINARY_DIR}/rta-config.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/rta-config-version.cmake COMPATIBILITY SameMinorVersion)
install(EXPORT rta-targets NAMESPACE rta:: DESTINATION ${package_dir})
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/rta-config.cmake ${CMAKE_CURRENT_BINARY_DIR}/rta-config-version.cmake
    DESTINATION ${package_dir})

# pkg-config: relative to the file, because cmake --install may use another prefix. Nothing is private to a static
# library.
file(RELATIVE_PATH rta_prefix /prefix/${CMAKE_INSTALL_LIBDIR}/pkgconfig /prefix)
set(rta_requires "protobuf")
set(rta_requires_private "${rta_pkgconfig_private}")
if(NOT BUILD_SHARED_LIBS)
    string(JOIN ", " rta_requires "protobuf" ${rta_pkgconfig_private})
    set(rta_requires_private "")
endif()
list(TRANSFORM asio_definitions PREPEND "-D" OUTPUT_VARIABLE rta_cflags)
string(JOIN " " rta_cflags ${rta_cflags})
configure_file(rta.pc.in rta.pc @ONLY)
install(FILES ${CMAKE_CURRENT_BINARY_DIR}/rta.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
