// Owning, 64-byte aligned, row-major host values with dims and dtype: the only form in which tensors
// reach a file. Layouts of oneDNN never appear here.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace resflow {

enum class DType { kU8, kI32, kI64, kBF16, kF16, kF32, kF64 };

size_t dtype_bytes(DType dtype);
std::string_view dtype_name(DType dtype);      // "f32", "i64", ...
DType dtype_from_name(std::string_view name);  // Throws Error{kData} for an unknown name.

template <class T>
constexpr DType dtype_of();
template <>
constexpr DType dtype_of<uint8_t>() {
  return DType::kU8;
}
template <>
constexpr DType dtype_of<int32_t>() {
  return DType::kI32;
}
template <>
constexpr DType dtype_of<int64_t>() {
  return DType::kI64;
}
template <>
constexpr DType dtype_of<float>() {
  return DType::kF32;
}
template <>
constexpr DType dtype_of<double>() {
  return DType::kF64;
}

using Dims = std::vector<int64_t>;  // {} is a scalar: one element

int64_t element_count(const Dims& dims);
std::string to_string(const Dims& dims);  // "(64,3,7,7)"

class Array {
 public:
  Array() = default;                           // no values at all
  Array(DType dtype, Dims dims);               // zeros. Throws Error{kSystem} where the memory is not to be had.
  static Array unset(DType dtype, Dims dims);  // values that are to be overwritten; throws as the one of zeros
  Array(const Array& other);
  Array& operator=(const Array& other);
  Array(Array&&) noexcept = default;
  Array& operator=(Array&&) noexcept = default;

  template <class T>
  static Array from(Dims dims, std::span<const T> values);

  DType dtype() const { return dtype_; }
  const Dims& dims() const { return dims_; }
  int64_t size() const { return size_; }  // elements
  size_t bytes() const { return static_cast<size_t>(size_) * dtype_bytes(dtype_); }
  bool empty() const { return size_ == 0; }

  std::byte* raw() { return data_.get(); }
  const std::byte* raw() const { return data_.get(); }
  // The values as files hold them.
  std::span<const uint8_t> raw_bytes() const { return {reinterpret_cast<const uint8_t*>(data_.get()), bytes()}; }

  // REQUIRES: T is the array's dtype; else Error{kInternal}.
  template <class T>
  std::span<T> values() {
    check(dtype_of<T>());
    return {reinterpret_cast<T*>(data_.get()), static_cast<size_t>(size_)};
  }
  template <class T>
  std::span<const T> values() const {
    check(dtype_of<T>());
    return {reinterpret_cast<const T*>(data_.get()), static_cast<size_t>(size_)};
  }

  bool operator==(const Array& other) const;  // same dtype, dims and bits

 private:
  struct Free {
    void operator()(std::byte* p) const;
  };
  void allocate();
  void check(DType wanted) const;
  void check_count(size_t values) const;  // Throws Error{kInternal} where it is not size().

  DType dtype_ = DType::kF32;
  Dims dims_ = {0};
  int64_t size_ = 0;
  std::unique_ptr<std::byte[], Free> data_;
};

template <class T>
Array Array::from(Dims dims, std::span<const T> values) {
  Array a(dtype_of<T>(), std::move(dims));
  a.check_count(values.size());
  std::copy(values.begin(), values.end(), a.values<T>().begin());
  return a;
}

}  // namespace resflow
