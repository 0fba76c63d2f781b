#include "ops/tensor.h"

#include <gtest/gtest.h>

#include <numeric>

#include "io/core/error.h"

namespace resflow {
namespace {

using Tag = dnnl::memory::format_tag;
constexpr auto kF32 = dnnl::memory::data_type::f32;

Array counted(const Dims& dims) {
  Array array(DType::kF32, dims);
  std::iota(array.values<float>().begin(), array.values<float>().end(), 1.0F);
  return array;
}

TEST(Tensor, KeepsValuesThroughABlockedLayout) {
  const Compute compute(2);
  const Array values = counted({20, 5, 3, 3});
  Tensor tensor("w", plain_desc(values.dims()), compute);
  tensor.import_from(values, compute);
  tensor.relayout(Desc(values.dims(), kF32, Tag::OIhw16i16o), compute);
  EXPECT_GT(tensor.bytes(), values.bytes());
  EXPECT_EQ(tensor.export_to_array(compute), values);
  // The padding of the blocks is zero, so that elementwise updates keep it zero.
  const double sum = std::accumulate(tensor.data(), tensor.data() + tensor.bytes() / sizeof(float), 0.0);
  EXPECT_EQ(sum, 900.0 * 901 / 2);
}

TEST(Tensor, KeepsTheDimsOfFilesWhereOneDnnAddsADimensionOfGroups) {
  const Compute compute(1);
  const Array values = counted({64, 2, 3, 3});
  Tensor tensor("w", plain_desc(values.dims()), compute);
  tensor.import_from(values, compute);
  tensor.relayout(Desc({2, 32, 2, 3, 3}, kF32, Tag::gOihw16o), compute);
  EXPECT_EQ(tensor.dims(), (Dims{64, 2, 3, 3}));
  EXPECT_EQ(tensor.export_to_array(compute), values);
  Array other = counted({64, 2, 3, 3});
  for (float& x : other.values<float>()) x = -x;
  tensor.import_from(other, compute);
  EXPECT_EQ(tensor.export_to_array(compute), other);
}

TEST(Tensor, NamesWhatDoesNotFit) {
  const Compute compute(1);
  Tensor tensor("layer1.0.conv1.weight", plain_desc({4, 2}), compute);
  try {
    tensor.import_from(counted({2, 4}), compute);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kData);
    EXPECT_STREQ(error.what(), "layer1.0.conv1.weight: file has (2,4), model wants (4,2)");
  }
  EXPECT_THROW(tensor.import_from(Array(DType::kF64, {4, 2}), compute), Error);
}

TEST(Tensor, ViewWritesWhereItPoints) {
  const Compute compute(1);
  alignas(64) float place[6] = {};
  Tensor view("g", plain_desc({2, 3}), place, compute);
  view.import_from(counted({2, 3}), compute);
  EXPECT_EQ(place[5], 6.0F);
  EXPECT_THROW(view.relayout(Desc({2, 3}, kF32, Tag::ba), compute), Error);
}

TEST(Compute, RefusesZeroThreads) { EXPECT_THROW(Compute(0), Error); }

}  // namespace
}  // namespace resflow
