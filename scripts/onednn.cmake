# Read by oneDNN's own build after its project() (scripts/onednn): the same library in a third of the processor time.
# - What scripts/onednn leaves out as a primitive is left out as a source.
# - Sources are compiled ten at a time: their headers take longer than most of them.
# - Only what computes keeps -O3. What chooses an implementation and writes its machine code, once a primitive, and
#   what is a reference for cases without one, is compiled with -O1; the kernels of gemm, written once a process, with
#   -O0 (oneDNN's build does it with -O1).

# Compiles `sources` of `target` together, `size` at a time, with `flags` added to the target's.
function(compile_together target name size flags sources)
  get_target_property(folder ${target} BINARY_DIR)
  set(count 0)
  foreach(source IN LISTS sources)
    math(EXPR unit "${count} / ${size}")
    math(EXPR count "${count} + 1")
    # A source with flags of its own would not be compiled with others, so that the file that includes them has the flags.
    set_property(SOURCE ${source} TARGET_DIRECTORY ${target} PROPERTY COMPILE_FLAGS)
    set_property(SOURCE ${source} TARGET_DIRECTORY ${target} PROPERTY UNITY_GROUP ${name}_${unit})
    set_source_files_properties(${folder}/CMakeFiles/${target}.dir/Unity/unity_${name}_${unit}_cxx.cxx
                                TARGET_DIRECTORY ${target} PROPERTIES COMPILE_FLAGS "${flags}")
  endforeach()
endfunction()

# In `result`, those of `sources` that match `pattern`.
function(matching result pattern sources)
  list(FILTER sources INCLUDE REGEX "${pattern}")
  set(${result} ${sources} PARENT_SCOPE)
endfunction()

# Leaves the sources of primitives that are not enabled out of `target`, and puts the others into `result`.
# The lists of implementations stay, and are empty. Each holds a function of the same name: compiled alone.
function(leave_out_unused result target)
  set(unused lrn prelu reduction resampling rnn shuffle deconv simple_concat simple_sum xf16_sum
             layer_normalization group_normalization instance_normalization)
  list(JOIN unused "|" unused)
  get_target_property(sources ${target} SOURCES)
  matching(lists "_list\\.cpp$" "${sources}")
  list(FILTER sources EXCLUDE REGEX "/src/.*(${unused}).*\\.cpp$|_list\\.cpp$")
  set_target_properties(${target} PROPERTIES SOURCES "${sources};${lists}" UNITY_BUILD ON UNITY_BUILD_MODE GROUP)
  set_source_files_properties(${lists} TARGET_DIRECTORY ${target} PROPERTIES COMPILE_FLAGS -O1)
  set(${result} ${sources} PARENT_SCOPE)
endfunction()

function(shorten_common)
  get_target_property(sources dnnl_common SOURCES)
  matching(sources_in_c "\\.c$" "${sources}")
  set_source_files_properties(${sources_in_c} TARGET_DIRECTORY dnnl_common PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  # A third of all, for the padding of every layout there is.
  matching(padding "/memory_zero_pad\\.cpp$" "${sources}")
  set_source_files_properties(${padding} TARGET_DIRECTORY dnnl_common PROPERTIES COMPILE_FLAGS -O1)
  # mm_malloc.h, which immintrin.h brings, does not compile after a `using namespace` of dnnl::impl's free().
  set_target_properties(dnnl_common PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 14
                                               UNITY_BUILD_CODE_BEFORE_INCLUDE "#include <immintrin.h>")
endfunction()

function(shorten_cpu)
  leave_out_unused(sources dnnl_cpu)
  # Nor does this header after a `using namespace` of data types.
  set_target_properties(dnnl_cpu PROPERTIES UNITY_BUILD_CODE_BEFORE_INCLUDE "#include \"cpu/cpu_inner_product_pd.hpp\"")
  matching(reorders "/reorder/" "${sources}")
  matching(references "/(ref|simple)_[^/]*\\.cpp$" "${sources}")
  list(REMOVE_ITEM sources ${reorders} ${references})
  compile_together(dnnl_cpu reorder 10 -O1 "${reorders}")
  compile_together(dnnl_cpu reference 10 -O1 "${references}")
  compile_together(dnnl_cpu other 10 "" "${sources}")
endfunction()

function(shorten_x64)
  leave_out_unused(sources dnnl_cpu_x64)
  matching(gemm "/x64/gemm/[^/]*\\.cpp$" "${sources}")
  # These do not compile with others: a `using namespace` of status, or a function as another source's.
  matching(alone "i8i8_pooling|inner_product_utils|uni_binary_kernel|matmul_reorders|gemm_f32\\.cpp$" "${sources}")
  # Nor these with one another, where functions have the same names: each is compiled with nine of the others.
  matching(clashing "conv_kernel|amx_.*conv|/gemm/.*_kern\\.cpp$" "${sources}")
  matching(once "_autogen\\.cpp$" "${sources}")
  list(REMOVE_ITEM sources ${gemm} ${alone} ${clashing} ${once})
  set_source_files_properties(${alone} TARGET_DIRECTORY dnnl_cpu_x64 PROPERTIES COMPILE_FLAGS -O1)
  compile_together(dnnl_cpu_x64 gemm 10 "" "${gemm}")
  compile_together(dnnl_cpu_x64 once 20 -O0 "${once}")
  compile_together(dnnl_cpu_x64 jit 9 -O1 "${sources}")
  compile_together(dnnl_cpu_x64 jit 1 -O1 "${clashing}")
endfunction()

function(shorten_build)
  shorten_common()
  shorten_cpu()
  shorten_x64()
  # Were something needed that is left out, linking would say so instead of loading.
  set_target_properties(dnnl PROPERTIES LINK_OPTIONS -Wl,-z,defs)
endfunction()
cmake_language(DEFER CALL shorten_build)
