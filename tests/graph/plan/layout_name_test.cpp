#include "graph/plan/layout_name.h"

#include <gtest/gtest.h>

namespace resflow {
namespace {

using Tag = dnnl::memory::format_tag;
using Type = dnnl::memory::data_type;

TEST(LayoutName, IsOnednns) {
  const Dims dims = {2, 32, 5, 7};
  EXPECT_EQ(layout_name(Desc(dims, Type::f32, Tag::nchw)), "nchw");
  EXPECT_EQ(layout_name(Desc(dims, Type::f32, Tag::nhwc)), "nhwc");
  EXPECT_EQ(layout_name(Desc(dims, Type::f32, Tag::nChw16c)), "nChw16c");
  EXPECT_EQ(layout_name(Desc(dims, Type::f32, Tag::nChw8c)), "nChw8c");
  EXPECT_EQ(layout_name(Desc({2, 32}, Type::f32, Tag::nc)), "nc");
}

TEST(LayoutName, SaysWhatIsNotF32) {
  EXPECT_EQ(layout_name(Desc({2, 32, 5, 7}, Type::u8, Tag::nhwc)), "nhwc u8");
  EXPECT_EQ(layout_name(Desc({2, 32, 5, 7}, Type::bf16, Tag::nhwc)), "nhwc bf16");
}

}  // namespace
}  // namespace resflow
