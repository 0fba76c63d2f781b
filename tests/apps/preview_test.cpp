// resflow preview: the tiles are the network's pictures, and each stands over its own name.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "apps/data/preview_grid.h"
#include "io/images/decode.h"
#include "pipeline/order.h"
#include "pipeline/recipe.h"
#include "tests/apps/made_weights.h"
#include "tests/apps/peers.h"
#include "tests/apps/program.h"

namespace resflow::testing {
namespace {

using ::testing::HasSubstr;

Image read_png(const std::string& path) {
  const std::string text = read_text(path);
  const std::vector<uint8_t> bytes(text.begin(), text.end());
  Decoder decoder;
  decoder.open(bytes, path);
  Image image;
  decoder.decode(image);
  return image;
}

// What preview.py is to compare: one line a tile, in the order that the loader draws.
std::string tile_lines(const Dataset& dataset, const Recipe& recipe, int batch, uint64_t seed, uint64_t epoch) {
  const PreviewLayout layout = preview_layout(batch, recipe.size, {});
  const std::vector<int64_t> order = epoch_order(static_cast<int64_t>(dataset.samples.size()), seed, epoch);
  std::string lines;
  for (int tile = 0; tile < batch; ++tile) {
    const int64_t sample = order[static_cast<size_t>(tile)];
    const std::string& path = dataset.samples[static_cast<size_t>(sample)].path;
    const Rect at = layout.picture(tile);
    lines += fmt::format("{} {} {} {} ", at.left, at.top, at.width, layout.scale);
    if (recipe.kind == Recipe::Kind::kEval) {
      lines += fmt::format("eval {} 0 0 0 0 {}\n", recipe.resize, path);
      continue;
    }
    const Image picture = read_png(path);
    const TrainDraw draw =
        draw_train(recipe, picture.width(), picture.height(), seed, epoch, static_cast<uint64_t>(sample));
    lines += fmt::format("train {} {} {} {} {} {}\n", draw.crop.left, draw.crop.top, draw.crop.width, draw.crop.height,
                         draw.flip ? 1 : 0, path);
  }
  return lines;
}

TEST(PreviewProgram, TilesAreTorchvisionsPicturesToTheBit) {
  if (!has_peers()) GTEST_SKIP() << kNoPeers;
  const TemporaryFolder folder;
  draw_photos(folder / "data", 4, 5);
  const Dataset dataset = list_image_folder(folder / "data");
  const std::string png = folder / "grid.png", list = folder / "tiles.txt";
  for (const char* recipe : {"train", "eval"})
    for (const int size : {224, 40}) {  // 40 is shown four times as large
      const ProcessResult result =
          resflow({"preview", folder / "data", "--out", png, "--recipe", recipe, "--image-size", std::to_string(size),
                   "--batch", "9", "--seed", "3", "--epoch", "2"});
      ASSERT_EQ(result.exit_code, 0) << result.err;
      const Recipe how = recipe == std::string("train") ? Recipe::train(size) : Recipe::eval(eval_preprocessing(size));
      write_text(list, tile_lines(dataset, how, 9, 3, 2));
      EXPECT_EQ(run_python("apps/preview.py", {png, list}), "0\n") << recipe << size;
      // That it can differ: other draws.
      write_text(list, tile_lines(dataset, how, 9, 3, 1));
      EXPECT_NE(run_python("apps/preview.py", {png, list}), "0\n") << recipe << size;
    }
}

TEST(PreviewProgram, EvaluationIsOfTheValidationDataWhereThereAreSome) {
  const TemporaryFolder folder;
  draw_photos(folder / "data/train", 2, 3);
  draw_photos(folder / "data/val", 2, 2);
  const std::string png = folder / "grid.png";
  EXPECT_THAT(resflow({"preview", folder / "data", "--out", png}).out,
              HasSubstr("6 pictures of " + (folder / "data/train")));
  EXPECT_THAT(resflow({"preview", folder / "data", "--out", png, "--recipe", "eval"}).out,
              HasSubstr("4 pictures of " + (folder / "data/val")));
}

TEST(PreviewProgram, TakesThePreprocessingOfAModel) {
  const TemporaryFolder folder;
  draw_photos(folder / "data", 3, 2);
  Checkpoint checkpoint = made_checkpoint();  // resize 54, crop 48
  checkpoint.preprocessing.mean = {0.1F, 0.2F, 0.3F};
  checkpoint.preprocessing.std = {0.5F, 0.6F, 0.7F};
  const std::string model = folder / "m.resflow", png = folder / "grid.png", plain = folder / "plain.png";
  save_checkpoint(checkpoint, model);
  const auto draw = [&](const std::string& out, const std::vector<std::string>& more) {
    std::vector<std::string> arguments = {"preview", folder / "data", "--out", out, "--recipe", "eval"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProcessResult result = resflow(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return read_text(out);
  };
  // 54 goes with 48 anyhow, and what is normalized by whatever numbers comes back the same.
  EXPECT_EQ(draw(png, {"--model", model}), draw(plain, {"--image-size", "48"}));
  // At 64 the model's 54 to 48 is 72, and the usual 256 to 224 is 73.
  EXPECT_NE(draw(png, {"--model", model, "--image-size", "64"}), draw(plain, {"--image-size", "64"}));
  checkpoint.preprocessing.resize = 100;
  save_checkpoint(checkpoint, model);
  EXPECT_NE(draw(png, {"--model", model}), draw(plain, {"--image-size", "48"}));
}

TEST(PreviewProgram, BrokenPicturesAreSaidAndLeftOut) {
  const TemporaryFolder folder;
  draw_photos(folder / "data", 2, 2);
  write_text(folder / "data/net/broken.jpg", "no picture");
  const std::string png = folder / "grid.png";
  const ProcessResult result = resflow({"preview", folder / "data", "--out", png});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.out, HasSubstr(": 4 pictures of"));
  EXPECT_THAT(result.err, HasSubstr("broken.jpg: is a text named .jpg"));
  const PreviewLayout layout = preview_layout(4, 224, {});
  EXPECT_EQ(read_png(png).width(), layout.width);
  EXPECT_EQ(read_png(png).height(), layout.height);

  write_text(folder / "bad/net/broken.jpg", "no picture");
  EXPECT_EQ(resflow({"preview", folder / "bad", "--out", folder / "none.png"}).exit_code, 3);
  EXPECT_FALSE(std::filesystem::exists(folder / "none.png"));
}

TEST(PreviewProgram, RefusesWhatCannotBe) {
  const TemporaryFolder folder;
  draw_photos(folder / "data", 2, 1);
  const auto refused = [&](std::vector<std::string> more, int exit_code) {
    std::vector<std::string> arguments = {"preview", folder / "data", "--out", folder / "grid.png"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const ProcessResult result = resflow(arguments);
    EXPECT_EQ(result.exit_code, exit_code) << result.err;
    EXPECT_FALSE(std::filesystem::exists(folder / "grid.png"));
  };
  refused({"--recipe", "test"}, 2);
  refused({"--batch", "0"}, 2);
  refused({"--columns", "-1"}, 2);
  refused({"--image-size", "5000"}, 2);
  refused({"--image-size", "4000", "--batch", "100"}, 2);
  refused({"--model", folder / "absent.pth"}, 3);
  EXPECT_EQ(resflow({"preview", folder / "data", "--out", folder / "absent/grid.png"}).exit_code, 2);
  EXPECT_EQ(resflow({"preview", folder / "absent", "--out", folder / "grid.png"}).exit_code, 3);
}

}  // namespace
}  // namespace resflow::testing
