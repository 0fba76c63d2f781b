#include "ops/tensor.h"

#include <oneapi/tbb/blocked_range.h>
#include <oneapi/tbb/parallel_for.h>

#include <cstdlib>
#include <cstring>
#include <utility>

#include "io/core/error.h"
#include "ops/primitive.h"

namespace resflow {
namespace {

std::shared_ptr<void> zeroed(const std::string& name, size_t bytes, const Compute& compute) {
  constexpr size_t kAlignment = 64;
  const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  std::shared_ptr<void> memory(std::aligned_alloc(kAlignment, std::max(rounded, kAlignment)), std::free);
  if (!memory) throw system_error("{}: no memory for {} bytes", name, bytes);
  // Zeroed by the threads that will work on it, so that each page lies near them.
  compute.run([&] {
    constexpr size_t kPage = 4096;
    tbb::parallel_for(
        tbb::blocked_range<size_t>(0, (rounded + kPage - 1) / kPage, 64),
        [&](const tbb::blocked_range<size_t>& pages) {
          const size_t begin = pages.begin() * kPage;
          std::memset(at(memory.get(), begin), 0, std::min(pages.end() * kPage, rounded) - begin);
        },
        tbb::static_partitioner());
  });
  return memory;
}

}  // namespace

Desc plain_desc(const Dims& dims) {
  Dims strides(dims.size());
  int64_t stride = 1;
  for (size_t i = dims.size(); i-- > 0;) {
    strides[i] = stride;
    stride *= dims[i];
  }
  return {dims, dnnl::memory::data_type::f32, strides};
}

Tensor::Tensor(std::string name, const Desc& desc, const Compute& compute)
    : name_(std::move(name)), dims_(desc.get_dims()), owned_(zeroed(name_, desc.get_size(), compute)) {
  memory_ = dnnl::memory(desc, compute.engine(), owned_.get());
}

Tensor::Tensor(std::string name, const Desc& desc, void* place, const Compute& compute)
    : name_(std::move(name)), dims_(desc.get_dims()), memory_(desc, compute.engine(), place) {}

Tensor::Tensor(std::string name, const Tensor& like, void* place, const Compute& compute)
    : name_(std::move(name)), dims_(like.dims_), memory_(like.desc(), compute.engine(), place) {}

float* Tensor::data() const { return memory_ ? static_cast<float*>(memory_.get_data_handle()) : nullptr; }

size_t Tensor::bytes() const { return memory_ ? desc().get_size() : 0; }

void Tensor::import_from(const Array& array, const Compute& compute) {
  if (array.dims() != dims_)
    throw data_error("{}: file has {}, model wants {}", name_, to_string(array.dims()), to_string(dims_));
  if (array.dtype() != DType::kF32)
    throw data_error("{}: file has {}, model wants f32", name_, dtype_name(array.dtype()));
  // oneDNN takes no pointer to const; a reorder only reads its source.
  void* values = const_cast<std::byte*>(array.raw());
  const dnnl::memory plain(plain_desc(desc().get_dims()), compute.engine(), values);
  reorder_now(plain, memory_, compute);
}

Array Tensor::export_to_array(const Compute& compute) const {
  Array array(DType::kF32, dims_);
  const dnnl::memory plain(plain_desc(desc().get_dims()), compute.engine(), array.raw());
  reorder_now(memory_, plain, compute);
  return array;
}

void Tensor::relayout(const Desc& wanted, const Compute& compute) {
  if (wanted == desc()) return;
  if (!owned_) throw internal_error("{}: a view cannot change its layout", name_);
  Tensor moved(name_, wanted, compute);
  copy_values(*this, moved, compute);
  moved.dims_ = dims_;
  *this = std::move(moved);
}

}  // namespace resflow
