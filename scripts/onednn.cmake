# Read by oneDNN's own build after its project() (scripts/onednn): the same library in half the time. What scripts/onednn
# leaves out as a primitive is left out as a source, sources that share most of their headers are compiled together,
# and what only writes machine code, once a primitive, is optimized as oneDNN does it for its gemm: with -O1.
function(shorten_build)
  # Sources of primitives that are not enabled; the lists of implementations stay, and are empty.
  set(unused lrn prelu reduction resampling rnn shuffle deconv simple_concat simple_sum xf16_sum
             layer_normalization group_normalization instance_normalization)
  list(JOIN unused "|" unused)
  foreach(target dnnl_cpu dnnl_cpu_x64)
    get_target_property(sources ${target} SOURCES)
    set(lists ${sources})
    list(FILTER lists INCLUDE REGEX "_list\\.cpp$")
    list(FILTER sources EXCLUDE REGEX "/src/.*(${unused}).*\\.cpp$")
    list(APPEND sources ${lists})
    list(REMOVE_DUPLICATES sources)
    set_target_properties(${target} PROPERTIES SOURCES "${sources}")
    set_source_files_properties(${lists} TARGET_DIRECTORY ${target} PROPERTIES COMPILE_FLAGS -O1)
  endforeach()
  # Were one needed, linking would say so instead of loading.
  set_target_properties(dnnl PROPERTIES LINK_OPTIONS -Wl,-z,defs)

  # mm_malloc.h, which this brings, does not compile after a `using namespace` of dnnl::impl's free().
  get_target_property(sources_in_c dnnl_common SOURCES)
  list(FILTER sources_in_c INCLUDE REGEX "\\.c$")
  set_source_files_properties(${sources_in_c} TARGET_DIRECTORY dnnl_common PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  set_target_properties(dnnl_common PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 14
                                               UNITY_BUILD_CODE_BEFORE_INCLUDE "#include <immintrin.h>")

  set(emitters ${sources})
  list(FILTER emitters INCLUDE REGEX "/x64/(.*/)?(injectors/[^/]*|[^/]*_kern[^/]*)\\.cpp$")
  set_source_files_properties(${emitters} TARGET_DIRECTORY dnnl_cpu_x64 PROPERTIES COMPILE_FLAGS -O1)
  # A source with flags of its own is not compiled with others, so that the file that includes them has the flags.
  set_target_properties(dnnl_cpu_x64 PROPERTIES UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  get_target_property(folder dnnl_cpu_x64 BINARY_DIR)
  set(count 0)
  list(FILTER emitters INCLUDE REGEX "_autogen\\.cpp$")
  foreach(source IN LISTS emitters)
    math(EXPR group "${count} / 11")
    math(EXPR count "${count} + 1")
    set_property(SOURCE ${source} TARGET_DIRECTORY dnnl_cpu_x64 PROPERTY COMPILE_FLAGS)
    set_property(SOURCE ${source} TARGET_DIRECTORY dnnl_cpu_x64 PROPERTY UNITY_GROUP gemm_${group})
    set_source_files_properties(${folder}/CMakeFiles/dnnl_cpu_x64.dir/Unity/unity_gemm_${group}_cxx.cxx
                                TARGET_DIRECTORY dnnl_cpu_x64 PROPERTIES COMPILE_FLAGS -O1)
  endforeach()
endfunction()
cmake_language(DEFER CALL shorten_build)
