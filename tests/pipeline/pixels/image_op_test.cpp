// Covers: pipeline/pixels/affine pipeline/pixels/enhance pipeline/pixels/hue pipeline/pixels/tone
#include "pipeline/pixels/image_op.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "io/files/file.h"
#include "io/images/decode.h"
#include "pipeline/pixels/random.h"
#include "tests/pipeline/pixels/augmentation.h"
#include "tests/support/python.h"

namespace resflow {
namespace {

using testing::digest;
using testing::op_name;
using testing::photographs;
using testing::python_has;
using testing::run_python;
using testing::TemporaryFolder;

struct ImageOpCase {
  Image picture;
  std::vector<ImageOp> ops;
};

// Values at the ends, around them, and where a picture is turned onto itself; and some of no meaning.
const std::vector<ImageOp>& all_ops() {
  static const std::vector<ImageOp> all = [] {
    std::vector<ImageOp> ops = {
        {ImageOpKind::kIdentity}, {ImageOpKind::kAutoContrast}, {ImageOpKind::kEqualize}, {ImageOpKind::kInvert}};
    const auto add = [&ops](ImageOpKind kind, std::initializer_list<double> values) {
      for (const double value : values) ops.push_back({kind, value});
    };
    for (const auto kind :
         {ImageOpKind::kBrightness, ImageOpKind::kContrast, ImageOpKind::kSaturation, ImageOpKind::kSharpness})
      add(kind, {0, 0.01, 0.1 + 0.2, 0.73, 1, 1.27, 1.9, 2.5});
    add(ImageOpKind::kHue, {-0.5, -0.123, -0.002, 0, 0.004, 0.25, 0.37, 0.5});
    add(ImageOpKind::kPosterize, {0, 1, 2, 3, 4, 5, 6, 7, 8});
    add(ImageOpKind::kSolarize, {0, 0.5, 76.5, 127, 128, 254.9, 255, 256});
    for (const auto kind : {ImageOpKind::kShearX, ImageOpKind::kShearY})
      add(kind, {-0.99, -0.3, -0.09, 0, 0.001, 0.0993, 0.3, 0.627, 0.99});
    for (const auto kind : {ImageOpKind::kTranslateX, ImageOpKind::kTranslateY})
      add(kind, {-500, -101, -7, -1, 0, 1, 32, 100});
    add(ImageOpKind::kRotate, {-135, -90, -30, -4.5, -1e-9, 0, 0.3, 9, 30, 45, 90, 130.5, 135, 180, 270, 359.99, 400});
    return ops;
  }();
  return all;
}

void expect_torchvisions_bytes(const std::vector<ImageOpCase>& cases) {
  const TemporaryFolder folder;
  std::vector<uint64_t> ours;
  std::vector<std::string> names;
  {
    std::ofstream source(folder / "source.raw", std::ios::binary), list(folder / "cases.txt");
    size_t begin = 0;
    for (const ImageOpCase& one : cases) {
      const int width = one.picture.width(), height = one.picture.height();
      const size_t bytes = one.picture.row_bytes() * static_cast<size_t>(height);
      source.write(reinterpret_cast<const char*>(one.picture.row(0)), static_cast<std::streamsize>(bytes));
      Image scratch;
      for (const ImageOp& op : one.ops) {
        list << width << ' ' << height << ' ' << begin << ' ' << op_name(op.kind) << ' ' << fmt::format("{}", op.value)
             << '\n';
        Image image = one.picture;
        apply(op, image, scratch);
        ASSERT_EQ(image.width(), width);
        ASSERT_EQ(image.height(), height);
        ours.push_back(digest(std::span(image.row(0), bytes)));
        names.push_back(fmt::format("{} {} of {} x {}, picture {}", op_name(op.kind), op.value, width, height,
                                    &one - cases.data()));
      }
      begin += bytes;
    }
  }
  std::istringstream theirs(run_python("pipeline/pixels/image_op.py", {folder.path().string()}));
  for (size_t i = 0; i < ours.size(); ++i) {
    uint64_t wanted = 0;
    ASSERT_TRUE(theirs >> wanted);
    EXPECT_EQ(ours[i], wanted) << names[i];
  }
}

// pixel(x, y, c) of each byte.
template <class Pixel>
Image made(int width, int height, const Pixel& pixel) {
  Image image;
  image.resize(width, height);
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c) image.row(y)[x * 3 + c] = static_cast<uint8_t>(pixel(x, y, c));
  return image;
}

Image even_noise(int width, int height) {
  Draw draw(1, static_cast<uint64_t>(width), static_cast<uint64_t>(height), DrawFor::kOrder);
  return made(width, height, [&](int, int, int) { return draw.integer(0, 255); });
}

class ImageOpTest : public ::testing::Test {
  void SetUp() override {
    if (!python_has({"torch", "torchvision", "PIL", "numpy"})) GTEST_SKIP() << "needs python3-torchvision";
  }
};

TEST_F(ImageOpTest, EqualsTorchvisionOnPhotographs) {
  const auto paths = photographs(64);
  if (paths.empty()) GTEST_SKIP() << "no shared photographs";
  std::vector<ImageOpCase> cases;
  Decoder decoder;
  std::vector<uint8_t> buffer;
  for (const std::string& path : paths) {
    decoder.open(read_file(path, buffer), path);
    Image picture;
    decoder.decode({0, 0, decoder.width(), decoder.height()}, picture);
    cases.push_back({std::move(picture), all_ops()});
  }
  ASSERT_GE(cases.size(), 8U);
  expect_torchvisions_bytes(cases);
}

TEST_F(ImageOpTest, EqualsTorchvisionOnNoiseOfManySizes) {
  std::vector<ImageOpCase> cases;
  constexpr int kSizes[][2] = {{1, 1},  {1, 2},  {2, 1},   {2, 2},   {3, 2},   {2, 3},   {3, 3},   {4, 3},
                               {1, 50}, {50, 1}, {17, 16}, {16, 16}, {33, 48}, {64, 64}, {65, 65}, {101, 40}};
  for (const auto& size : kSizes) cases.push_back({even_noise(size[0], size[1]), all_ops()});
  expect_torchvisions_bytes(cases);
}

// One value, two values, few values, channels apart, dark and bright: what histograms and means hang on.
TEST_F(ImageOpTest, EqualsTorchvisionOnPlainPictures) {
  std::vector<ImageOpCase> cases;
  for (const int value : {0, 1, 127, 128, 254, 255})
    cases.push_back({made(20, 30, [=](int, int, int) { return value; }), all_ops()});
  cases.push_back({made(40, 40, [](int x, int, int c) { return x < 20 ? 10 * c : 200; }), all_ops()});
  cases.push_back({made(256, 40, [](int x, int, int c) { return c == 1 ? 255 - x : x; }), all_ops()});
  cases.push_back({made(60, 60, [](int x, int y, int c) { return 100 + c * 20 + (x + y) % 7; }), all_ops()});
  cases.push_back({made(100, 100, [](int x, int y, int) { return x * y % 50 == 0 ? 255 : 3; }), all_ops()});
  expect_torchvisions_bytes(cases);
}

TEST_F(ImageOpTest, EveryColourTurnsAndFadesAsTorchvisions) {
  std::vector<ImageOpCase> cases;
  constexpr int kParts = 16, kReds = 256 / kParts;
  for (int part = 0; part < kParts; ++part)
    cases.push_back({made(256, 256 * kReds,
                          [part](int x, int y, int c) {
                            return c == 0 ? part * kReds + y / 256 : c == 1 ? y % 256 : x;
                          }),
                     {{ImageOpKind::kHue, -0.5 + 0.06 * part}, {ImageOpKind::kSaturation, 0.125 * part}}});
  // And all of them by one turn.
  for (int part = 0; part < kParts; ++part) cases[static_cast<size_t>(part)].ops.push_back({ImageOpKind::kHue, 0.2});
  expect_torchvisions_bytes(cases);
}

// Beyond 32768 pixels there is no 16.16 fixed point.
TEST_F(ImageOpTest, MovesPicturesTooLargeForFixedPointAsTorchvision) {
  std::vector<ImageOp> ops;
  for (const ImageOp& op : all_ops())
    if (tells_left_from_right(op.kind)) ops.push_back(op);
  expect_torchvisions_bytes({{even_noise(40'000, 3), ops}, {even_noise(3, 33'000), ops}});
}

TEST(ImageOp, MirroringMatters) {
  Image scratch;
  for (const ImageOp& op : all_ops()) {
    Image first = even_noise(24, 17), second = even_noise(24, 17);
    testing::mirrored(first);
    apply(op, first, scratch);
    apply(op, second, scratch);
    testing::mirrored(second);
    const size_t bytes = first.row_bytes() * 17;
    const bool same = std::equal(first.row(0), first.row(0) + bytes, second.row(0));
    if (!tells_left_from_right(op.kind)) {
      EXPECT_TRUE(same) << op_name(op.kind) << ' ' << op.value;
    } else if (op.kind == ImageOpKind::kShearY && op.value == 0.99) {
      EXPECT_FALSE(same);
    }
  }
}

}  // namespace
}  // namespace resflow
