// A named dnnl::memory: values in whatever layout oneDNN asked for, with import from and export to the
// plain row-major Array. Owns its memory (64-byte aligned, first touched in the compute arena), or wraps
// a place in somebody's arena.
#pragma once

#include <dnnl.hpp>
#include <memory>
#include <string>

#include "io/core/array.h"
#include "ops/compute.h"

namespace resflow {

using Desc = dnnl::memory::desc;

// Plain row-major f32 descriptor: oihw, nchw, x ... by rank.
Desc plain_desc(const Dims& dims);

class Tensor {
 public:
  Tensor() = default;
  // Owning; zeros (padding of a blocked layout included).
  Tensor(std::string name, const Desc& desc, const Compute& compute);
  // A view of memory that outlives it.
  Tensor(std::string name, const Desc& desc, void* place, const Compute& compute);
  // A view of memory that outlives it, with the layout and dims() of another tensor: a Parameter's gradient.
  Tensor(std::string name, const Tensor& like, void* place, const Compute& compute);

  const std::string& name() const { return name_; }
  const dnnl::memory& memory() const { return memory_; }
  Desc desc() const { return memory_.get_desc(); }
  // As in files. desc() may have others with the same elements in the same plain order: the weights of a grouped
  // convolution are (Co, Ci/G, K, K) in files and (G, Co/G, Ci/G, K, K) for oneDNN.
  const Dims& dims() const { return dims_; }
  float* data() const;   // in the layout of desc()
  size_t bytes() const;  // of the layout, padding included
  explicit operator bool() const { return static_cast<bool>(memory_); }

  // Values from and to the plain layout. Throws Error{kData} where dims or dtype differ:
  // "NAME: file has (..), model wants (..)".
  void import_from(const Array& array, const Compute& compute);
  Array export_to_array(const Compute& compute) const;

  // The same values in another layout (a reorder; nothing where the layout is that already). desc may have other
  // dims, see dims(). An owning tensor's memory moves.
  void relayout(const Desc& desc, const Compute& compute);

 private:
  std::string name_;
  Dims dims_;
  std::shared_ptr<void> owned_;
  dnnl::memory memory_;
};

}  // namespace resflow
