# What `cmake --install` brings: the program, the libraries with their headers, and the package for find_package(resflow).
include(CMakePackageConfigHelpers)

set(libraries resflow_io resflow_ops resflow_graph resflow_pipeline resflow_jobs)
# The installed program finds the oneDNN that it was built with, and the libraries where they are shared.
set_target_properties(resflow ${libraries} PROPERTIES INSTALL_RPATH_USE_LINK_PATH ON)
if(BUILD_SHARED_LIBS)
  set_target_properties(resflow PROPERTIES INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  set_target_properties(${libraries} PROPERTIES INSTALL_RPATH $ORIGIN VERSION ${PROJECT_VERSION}
                                                SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
endif()
install(TARGETS resflow RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES LICENSE README.md DESTINATION ${CMAKE_INSTALL_DOCDIR})
# What the program says of itself: manual pages, and completions where the shells look for them.
install(CODE "set(RESFLOW_PROGRAM \"$<TARGET_FILE:resflow>\")
set(RESFLOW_SHARE \"${CMAKE_INSTALL_DATADIR}\")
set(RESFLOW_MAN \"${CMAKE_INSTALL_MANDIR}\")")
install(SCRIPT scripts/install/manual.cmake)

# Every header of the libraries' rooms is installed, except these: what they include (JSON, Protobuf) or hold (inner
# loops) is nobody's business outside. A test sees to it that no installed header includes one of them.
set(internal
    "^ops/(kernels/|norm_geometry\\.h$)"
    "_json\\.h$"
    "^io/core/(base64|json_number)\\.h$" "^io/checkpoint/(file|manifest)\\.h$" "^io/pth/internal\\.h$" "^pipeline/pixels/avx512\\.h$"
    "^apps/(machine/process_report|data/stats_report|inspect/file_summary|inspect/weights_diff)\\.h$")
set(headers)
foreach(target ${libraries})
  foreach(room ${${target}_ROOMS})
    file(GLOB_RECURSE found RELATIVE ${PROJECT_SOURCE_DIR} CONFIGURE_DEPENDS ${room}/*.h)
    list(APPEND headers ${found})
  endforeach()
endforeach()
foreach(pattern ${internal})
  list(FILTER headers EXCLUDE REGEX ${pattern})
endforeach()
install(CODE "set(RESFLOW_SOURCE \"${PROJECT_SOURCE_DIR}\")
set(RESFLOW_HEADERS \"${headers}\")
set(RESFLOW_STAGE \"${PROJECT_BINARY_DIR}/headers\")
set(RESFLOW_FOLDER \"${CMAKE_INSTALL_INCLUDEDIR}\")")
install(SCRIPT scripts/install/headers.cmake)

set(package ${CMAKE_INSTALL_LIBDIR}/cmake/resflow)
install(TARGETS ${libraries} EXPORT resflow ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT resflow NAMESPACE resflow:: FILE resflowTargets.cmake DESTINATION ${package})
configure_package_config_file(scripts/install/resflowConfig.cmake.in resflowConfig.cmake INSTALL_DESTINATION ${package})
# Names may change from one minor version to the next, until 1.0.
write_basic_package_version_file(resflowConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/resflowConfig.cmake ${PROJECT_BINARY_DIR}/resflowConfigVersion.cmake DESTINATION ${package})
