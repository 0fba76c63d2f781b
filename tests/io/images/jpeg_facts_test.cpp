#include "io/images/jpeg_facts.h"

#include <gtest/gtest.h>

#include <span>

#include "tests/io/images/made_jpeg.h"

namespace resflow {
namespace {

using testing::JpegKind;
using testing::make_jpeg;

std::optional<JpegFacts> facts_of(const JpegKind& kind) { return jpeg_facts(make_jpeg(kind)); }

TEST(JpegFacts, SayTheSampling) {
  const auto sampling = [](int h, int v, int chroma_h = 1, int chroma_v = 1) {
    return facts_of({.h = h, .v = v, .chroma_h = chroma_h, .chroma_v = chroma_v}).value().sampling;
  };
  EXPECT_EQ(sampling(1, 1), "4:4:4");
  EXPECT_EQ(sampling(2, 1), "4:2:2");
  EXPECT_EQ(sampling(2, 2), "4:2:0");
  EXPECT_EQ(sampling(1, 2), "4:4:0");
  EXPECT_EQ(sampling(4, 1), "4:1:1");
  EXPECT_EQ(sampling(2, 2, 1, 2), "2x2 1x2 1x2");
}

TEST(JpegFacts, SayComponentsAndScans) {
  const JpegFacts colour = facts_of({}).value();
  EXPECT_EQ(colour.components, 3);
  EXPECT_FALSE(colour.progressive);
  EXPECT_TRUE(facts_of({.progressive = true}).value().progressive);
  EXPECT_TRUE(facts_of({.progressive = true, .arithmetic = true}).value().progressive);
  EXPECT_FALSE(facts_of({.arithmetic = true}).value().progressive);
  EXPECT_FALSE(facts_of({.scan_for_each_component = true}).value().progressive);
  const JpegFacts grey = facts_of({.channels = 1}).value();
  EXPECT_EQ(grey.components, 1);
  EXPECT_EQ(grey.sampling, "");
  EXPECT_EQ(facts_of({.channels = 4}).value().components, 4);
}

TEST(JpegFacts, OfACutOffFileAreThoseOfTheWholeOrNone) {
  const std::vector<uint8_t> whole = make_jpeg({});
  size_t none = 0;
  for (size_t size = 0; size <= whole.size(); ++size) {
    const auto facts = jpeg_facts(std::span(whole).first(size));
    none += facts ? 0 : 1;
    if (facts) {
      EXPECT_EQ(facts->sampling, "4:2:0") << size;
    }
  }
  EXPECT_GT(none, 20U);
  EXPECT_LT(none, whole.size());
}

TEST(JpegFacts, AreNoneWhereThereIsNoFrame) {
  const std::vector<uint8_t> scan = {0xFF, 0xD8, 0xFF, 0xDA, 0, 2, 0xFF, 0xC0, 0, 11, 8, 0, 1, 0, 1, 1, 1, 0x11, 0};
  EXPECT_FALSE(jpeg_facts(scan));
  const std::vector<uint8_t> too_few = {0xFF, 0xD8, 0xFF, 0xC0, 0, 11, 8, 0, 1, 0, 1, 3, 1, 0x11, 0};
  EXPECT_FALSE(jpeg_facts(too_few));
  const std::vector<uint8_t> length_of_one = {0xFF, 0xD8, 0xFF, 0xE0, 0, 1, 0xFF, 0xC0};
  EXPECT_FALSE(jpeg_facts(length_of_one));
}

}  // namespace
}  // namespace resflow
