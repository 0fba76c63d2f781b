#include "io/core/array.h"

#include <array>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "io/core/error.h"

namespace resflow {
namespace {

constexpr size_t kAlignment = 64;

// No process has more; asking the allocator for it is an error of its own to sanitizers.
constexpr size_t kAddressableBytes = size_t{1} << 47;

struct DTypeInfo {
  DType dtype;
  std::string_view name;
  size_t bytes;
};
constexpr std::array<DTypeInfo, 7> kDTypes = {{{DType::kU8, "u8", 1},
                                               {DType::kI32, "i32", 4},
                                               {DType::kI64, "i64", 8},
                                               {DType::kBF16, "bf16", 2},
                                               {DType::kF16, "f16", 2},
                                               {DType::kF32, "f32", 4},
                                               {DType::kF64, "f64", 8}}};

const DTypeInfo& info(DType dtype) {
  for (const auto& one : kDTypes) {
    if (one.dtype == dtype) return one;
  }
  throw internal_error("dtype {} is none", static_cast<int>(dtype));
}

}  // namespace

size_t dtype_bytes(DType dtype) { return info(dtype).bytes; }

std::string_view dtype_name(DType dtype) { return info(dtype).name; }

DType dtype_from_name(std::string_view name) {
  for (const auto& one : kDTypes) {
    if (one.name == name) return one.dtype;
  }
  throw data_error("dtype '{}' is none of u8, i32, i64, bf16, f16, f32, f64", name);
}

int64_t element_count(const Dims& dims) {
  int64_t count = 1;
  bool negative = false, too_large = false, none = false;
  for (const int64_t dim : dims) {
    negative |= dim < 0;
    none |= dim == 0;
    too_large |= __builtin_mul_overflow(count, dim, &count);
  }
  if (negative || (too_large && !none)) throw internal_error("{} are no dims of an array", to_string(dims));
  return none ? 0 : count;
}

std::string to_string(const Dims& dims) {
  std::string text = "(";
  for (const int64_t dim : dims) {
    if (text.size() > 1) text += ',';
    text += std::to_string(dim);
  }
  return text + ")";
}

Array::Array(DType dtype, Dims dims) : Array(unset(dtype, std::move(dims))) {
  if (size_ > 0) std::memset(data_.get(), 0, bytes());
}

Array Array::unset(DType dtype, Dims dims) {
  Array array;
  array.dtype_ = dtype;
  array.dims_ = std::move(dims);
  array.size_ = element_count(array.dims_);
  if (array.size_ > 0) array.allocate();
  return array;
}

void Array::allocate() {
  size_t bytes = 0;
  const bool too_large =
      __builtin_mul_overflow(static_cast<size_t>(size_), dtype_bytes(dtype_), &bytes) || bytes > kAddressableBytes;
  const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  if (!too_large) data_.reset(static_cast<std::byte*>(std::aligned_alloc(kAlignment, rounded)));
  if (!data_) {
    throw system_error("no memory for an array of {} {}: close other programs, or take a smaller model or batch",
                       to_string(dims_), dtype_name(dtype_));
  }
}

Array::Array(const Array& other) : Array(unset(other.dtype_, other.dims_)) {
  if (size_ > 0) std::memcpy(data_.get(), other.data_.get(), bytes());
}

Array& Array::operator=(const Array& other) {
  if (this != &other) *this = Array(other);
  return *this;
}

bool Array::operator==(const Array& other) const {
  return dtype_ == other.dtype_ && dims_ == other.dims_ &&
         (size_ == 0 || std::memcmp(data_.get(), other.data_.get(), bytes()) == 0);
}

void Array::Free::operator()(std::byte* p) const { std::free(p); }

void Array::check(DType wanted) const {
  if (dtype_ != wanted) throw internal_error("array holds {}, asked for {}", dtype_name(dtype_), dtype_name(wanted));
}

void Array::check_count(size_t values) const {
  if (values != static_cast<size_t>(size_))
    throw internal_error("{} values for an array of {}", values, to_string(dims_));
}

}  // namespace resflow
