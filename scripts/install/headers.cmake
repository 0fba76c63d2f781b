# Installs the libraries' headers; run by `cmake --install`, which sets
#   RESFLOW_SOURCE    the project's root
#   RESFLOW_HEADERS   the headers, below that root
#   RESFLOW_STAGE     a folder of the build to write into
#   RESFLOW_FOLDER    where headers go below the prefix: "include"
#
# A header lies in PREFIX/include/resflow/ROOM as it lies in ROOM here, and only PREFIX/include is on a consumer's path:
# our folders io/ and graph/ then stand in nobody's way. So an installed header says "resflow/io/core/array.h" where the
# source says "io/core/array.h".
foreach(header IN LISTS RESFLOW_HEADERS)
  file(READ ${RESFLOW_SOURCE}/${header} text)
  string(REGEX REPLACE "(#include \")(io|ops|graph|pipeline|apps)/" "\\1resflow/\\2/" text "${text}")
  set(staged ${RESFLOW_STAGE}/resflow/${header})
  set(before "")
  if(EXISTS ${staged})
    file(READ ${staged} before)
  endif()
  # What is as it was keeps its time, so that a consumer compiles nothing again.
  if(NOT before STREQUAL text)
    file(WRITE ${staged} "${text}")
  endif()
  cmake_path(GET header PARENT_PATH room)
  file(INSTALL ${staged} DESTINATION ${CMAKE_INSTALL_PREFIX}/${RESFLOW_FOLDER}/resflow/${room})
endforeach()
