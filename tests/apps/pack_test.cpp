// resflow pack, and the commands that take a pack where they take a folder.
//
// Covers: apps/data/damaged_packs apps/data/packing
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "io/checkpoint/checkpoint.h"
#include "io/files/file.h"
#include "io/images/decode.h"
#include "io/images/image_format.h"
#include "io/images/png_encode.h"
#include "io/pack/reader.h"
#include "io/pictures/dataset.h"
#include "pipeline/pixels/crop.h"
#include "pipeline/pixels/resize.h"
#include "tests/apps/program.h"
#include "tests/apps/runs.h"
#include "tests/support/exif_jpeg.h"

namespace resflow::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

namespace fs = std::filesystem;

class PackProgram : public ::testing::Test {
 protected:
  ProcessResult run(const std::vector<std::string>& arguments, int exit_code = 0) {
    const ProcessResult result = resflow(arguments);
    EXPECT_EQ(result.exit_code, exit_code) << result.err << result.out;
    return result;
  }
  ProcessResult pack(const std::string& data, const std::string& name, std::vector<std::string> more = {},
                     int exit_code = 0) {
    more.insert(more.begin(), {"pack", data, folder_ / name});
    return run(more, exit_code);
  }
  static std::vector<uint8_t> file_of(const Sample& sample) {
    std::vector<uint8_t> buffer;
    const auto bytes = read_sample(sample, buffer);
    return {bytes.begin(), bytes.end()};
  }
  std::string hash_of(const std::string& data, const std::vector<std::string>& more = {}) {
    const std::string json = folder_ / "load.json";
    std::vector<std::string> arguments = {"bench",        "load", "--data",    data, "--epochs", "2", "--batch", "4",
                                          "--image-size", "32",   "--threads", "2",  "--json",   json};
    arguments.insert(arguments.end(), more.begin(), more.end());
    run(arguments);
    return nlohmann::json::parse(read_text(json)).at("batches_sha256");
  }

  TemporaryFolder folder_;
  std::string data_ = folder_ / "data";
};

TEST_F(PackProgram, FilesAsTheyAreGiveTheFoldersBatches) {
  draw_photos(data_, 2, 7);
  const ProcessResult result = pack(data_, "p", {"--json", folder_ / "report.json"});
  EXPECT_THAT(result.out, HasSubstr("packed     14 pictures of 2 classes"));
  const auto report = nlohmann::json::parse(read_text(folder_ / "report.json"));
  EXPECT_EQ(report.at("pictures"), 14);
  EXPECT_EQ(report.at("bytes_written").get<uintmax_t>(), fs::file_size(folder_ / "p"));
  const Dataset from_folder = list_image_folder(data_), packed = list_image_folder(folder_ / "p");
  EXPECT_EQ(packed.classes, from_folder.classes);
  ASSERT_EQ(packed.samples.size(), from_folder.samples.size());
  for (size_t i = 0; i < packed.samples.size(); ++i) {
    EXPECT_EQ(packed.samples[i].path, folder_ / "p" + from_folder.samples[i].path.substr(data_.size()));
    EXPECT_EQ(file_of(packed.samples[i]), file_of(from_folder.samples[i]));
  }
  EXPECT_EQ(hash_of(folder_ / "p"), hash_of(data_));
  EXPECT_EQ(hash_of(folder_ / "p", {"--recipe", "eval"}), hash_of(data_, {"--recipe", "eval"}));
  EXPECT_NE(hash_of(data_, {"--decode", "fast"}), hash_of(data_));
}

TEST_F(PackProgram, TheSameBytesForAnyNumberOfThreads) {
  draw_photos(data_, 2, 20);
  for (const char* threads : {"1", "2", "16"}) pack(data_, threads, {"--resize", "48", "--threads", threads});
  EXPECT_EQ(read_text(folder_ / "1"), read_text(folder_ / "2"));
  EXPECT_EQ(read_text(folder_ / "1"), read_text(folder_ / "16"));
}

TEST_F(PackProgram, LargerPicturesAreShrunkAsInTraining) {
  draw_photos(data_, 1, 1);  // 128 or so a side
  Image wide;
  wide.resize(300, 90);
  for (size_t i = 0; i < wide.row_bytes() * 90; ++i) wide.row(0)[i] = static_cast<uint8_t>(i / 30 % 251);
  const std::vector<uint8_t> png = encode_png(wide), turned = with_exif(encode_jpeg(wide), 6);
  fs::create_directories(data_ + "/wide");
  replace_file(data_ + "/wide/a.png", png);
  replace_file(data_ + "/wide/b.jpg", turned);
  Image small;
  small.resize(40, 50);
  std::fill_n(small.row(0), small.row_bytes() * 50, uint8_t{7});
  replace_file(data_ + "/wide/c.png", encode_png(small));
  const ProcessResult result = pack(data_, "p", {"--resize", "60", "--quality", "100"});
  EXPECT_THAT(result.out, HasSubstr("to a short side of 60, JPEG quality 100"));
  const PackReader reader(folder_ / "p");
  EXPECT_EQ(reader.info().short_side, 60);
  EXPECT_EQ(reader.info().quality, 100);
  Decoder decoder;
  for (const Sample& sample : list_pictures(folder_ / "p")) {
    const auto bytes = file_of(sample);
    decoder.open(bytes);
    const std::string name = fs::path(sample.path).filename();
    if (name == "c.png") {
      EXPECT_EQ(bytes, encode_png(small));
      continue;
    }
    EXPECT_EQ(decoder.format()->name, "JPEG") << name;
    EXPECT_EQ(std::min(decoder.width(), decoder.height()), 60) << name;
    if (name == "b.jpg") {
      EXPECT_EQ(read_orientation(bytes, decoder.format()).exif(), 6);
    }
    if (name != "a.png") continue;
    // torchvision's Resize, then JPEG at its best: of smooth rows nothing is lost but rounding.
    const ResizeCrop size = resize_center_crop(300, 90, 60, 60);
    Resizer resizer;
    Image wanted, got;
    wanted.resize(size.width, size.height);
    resizer.plan(300, 90, size.width, size.height, {0, 0, size.width, size.height});
    resizer.run(wide, wanted.row(0), wanted.row_bytes());
    decoder.decode(got);
    ASSERT_EQ(got.width(), 200);
    double apart = 0;
    for (size_t i = 0; i < got.row_bytes() * 60; ++i) apart += std::abs(got.row(0)[i] - wanted.row(0)[i]);
    EXPECT_LT(apart / static_cast<double>(got.row_bytes() * 60), 8);  // colour is at half size in both directions
  }
}

TEST_F(PackProgram, BrokenPicturesAreNamedAndLeftOut) {
  draw_photos(data_, 2, 3);
  const std::string whole = photo_bytes(0, 9);
  write_text(data_ + "/" + demo_classes()[0] + "/half.jpg", whole.substr(0, whole.size() / 2));
  write_text(data_ + "/" + demo_classes()[1] + "/text.png", "no picture");
  for (const std::vector<std::string>& how : {std::vector<std::string>{}, {"--resize", "32"}}) {
    const ProcessResult result = pack(data_, "p", how);
    EXPECT_THAT(result.out, HasSubstr("left out   2 pictures that could not be read"));
    EXPECT_THAT(result.out, HasSubstr("half.jpg: truncated JPEG"));
    EXPECT_THAT(result.out, HasSubstr("text.png: "));
    EXPECT_EQ(list_pictures(folder_ / "p").size(), 6U);
  }
  fs::remove(folder_ / "p");
  const ProcessResult strict = pack(data_, "p", {"--strict"}, 3);
  EXPECT_THAT(strict.err, HasSubstr("2 pictures could not be read, and --strict takes none"));
  EXPECT_FALSE(fs::exists(folder_ / "p"));
  EXPECT_FALSE(fs::exists(folder_ / "p.partial"));
  write_text(folder_ / "bad/a/x.jpg", "no picture");
  EXPECT_THAT(pack(folder_ / "bad", "q", {}, 3).err, HasSubstr("nothing is written"));
  EXPECT_FALSE(fs::exists(folder_ / "q"));
}

TEST_F(PackProgram, FoldersWithoutClassesHaveNoLabels) {
  for (int i = 0; i < 3; ++i) write_text(data_ + "/" + std::to_string(i) + ".jpg", photo_bytes(0, 1));
  write_text(data_ + "/below/3.jpg", photo_bytes(1, 1));
  EXPECT_THAT(pack(data_, "p").out, HasSubstr("packed     4 pictures, without labels"));
  EXPECT_THAT(run({"train", folder_ / "p", "--out", folder_ / "run"}, 3).err, HasSubstr("no labels"));
  draw_photos(folder_ / "classes", 2, 2);
  pack(folder_ / "classes", "q", {"--no-labels"});
  EXPECT_TRUE(PackReader(folder_ / "q").info().classes.empty());
}

TEST_F(PackProgram, RefusesWhatCannotBe) {
  draw_photos(data_ + "/train", 2, 1);
  draw_photos(data_ + "/val", 2, 1);
  const std::string split = pack(data_, "p", {}, 2).err;
  EXPECT_THAT(split, HasSubstr("resflow pack " + data_ + "/train train.resflow-pack"));
  EXPECT_THAT(split, HasSubstr("resflow pack " + data_ + "/val val.resflow-pack"));
  pack(folder_ / "absent", "p", {}, 3);
  write_text(folder_ / "file", "x");
  EXPECT_THAT(pack(folder_ / "file", "p", {}, 3).err, HasSubstr("is a file"));
  const std::string train = data_ + "/train";
  EXPECT_THAT(pack(train, "p", {"--quality", "80"}, 2).err, HasSubstr("--quality goes with --resize"));
  pack(train, "p", {"--resize", "0"}, 2);
  pack(train, "p", {"--resize", "32", "--quality", "101"}, 2);
  pack(train, "absent/p", {}, 2);
  EXPECT_THAT(pack(train, "data", {}, 2).err, HasSubstr(data_ + ": is a folder"));
  EXPECT_THAT(pack(train, "file", {}, 2).err, HasSubstr("is no pack; only a pack is replaced"));
  EXPECT_EQ(read_text(folder_ / "file"), "x");
  pack(train, "p", {"--threads", "0"}, 2);
  EXPECT_FALSE(fs::exists(folder_ / "p"));
  pack(train, "p");
  pack(train, "p");  // a pack is replaced
  EXPECT_THAT(pack(folder_ / "p", "q", {}, 3).err, HasSubstr("is a pack already"));
  EXPECT_THAT(run({"split", folder_ / "p", "--out", folder_ / "s"}, 2).err, HasSubstr("is a pack"));
  for (const char* command : {"bench load --data", "score x", "evaluate x", "train"}) {
    std::vector<std::string> arguments;
    std::istringstream words(command);
    for (std::string word; words >> word;) arguments.push_back(word);
    arguments.push_back(train);
    arguments.insert(arguments.end(), {"--decode", "quick"});
    EXPECT_THAT(run(arguments, 2).err, HasSubstr("--decode quick: wanted exact or fast")) << command;
  }
}

TEST_F(PackProgram, TrainsScoresAndEvaluatesAsTheFolderDoes) {
  draw_photos(data_ + "/train", 2, 8);
  draw_photos(data_ + "/val", 2, 4, 100);
  pack(data_ + "/train", "train.pack");
  pack(data_ + "/val", "val.pack");
  run(train_arguments(data_, folder_ / "a"));
  run(train_arguments(folder_ / "train.pack", folder_ / "b", {"--val", folder_ / "val.pack"}));
  expect_same_run(folder_ / "a", folder_ / "b");
  EXPECT_THAT(read_text(folder_ / "b/report.html"), HasSubstr("data:image/jpeg"));

  // Features are those of the pictures, wherever they lie.
  const std::vector<std::string> features = {"--mode", "features", "--weights", folder_ / "a/best.resflow"};
  run(train_arguments(data_, folder_ / "fa", features));
  std::vector<std::string> packed_features = features;
  packed_features.insert(packed_features.end(), {"--val", folder_ / "val.pack"});
  run(train_arguments(folder_ / "train.pack", folder_ / "fb", packed_features));
  expect_same_run(folder_ / "fa", folder_ / "fb");

  const std::string model = folder_ / "a/best.resflow";
  const auto rows = [&](const std::string& input) {
    std::istringstream text(run({"score", model, input, "--top", "2"}).out);
    std::string all;
    for (std::string line; std::getline(text, line);) all += line.starts_with(input) ? line.substr(input.size()) : line;
    return all;
  };
  EXPECT_EQ(rows(folder_ / "val.pack"), rows(data_ + "/val"));
  const auto evaluation = [&](const std::string& input) {
    run({"evaluate", model, input, "--json", folder_ / "e.json"});
    auto json = nlohmann::json::parse(read_text(folder_ / "e.json"));
    return std::pair(json.at("accuracy"), json.at("log_loss"));
  };
  EXPECT_EQ(evaluation(folder_ / "val.pack"), evaluation(data_ + "/val"));
  EXPECT_THAT(run({"stats", folder_ / "val.pack"}).out, HasSubstr("8 pictures in 2 classes"));
  const ProcessResult quantized = run(
      {"quantize", model, folder_ / "val.pack", "--out", folder_ / "q.resflow", "--samples", "4", "--max-drop", "100"});
  EXPECT_THAT(quantized.out, HasSubstr("of 8 pictures in " + folder_ / "val.pack" + " right"));
  run({"bench", "pipeline", "--data", folder_ / "train.pack", "--model", "resnet18", "--image-size", "32", "--batch",
       "2", "--seconds", "0", "--repeats", "2", "--sweep", "1"});
  run({"preview", folder_ / "train.pack", "--out", folder_ / "grid.png", "--batch", "4"});

  // Shrunk pictures are others: no run goes on with them.
  pack(data_ + "/train", "small.pack", {"--resize", "50"});
  EXPECT_THAT(
      run({"train", folder_ / "small.pack", "--val", folder_ / "val.pack", "--out", folder_ / "b", "--resume"}, 2).err,
      HasSubstr("is not the run's"));
}

TEST_F(PackProgram, DamagedPacksAreSaid) {
  draw_photos(data_, 2, 6);
  pack(data_, "p");
  const std::string whole = read_text(folder_ / "p");
  write_text(folder_ / "cut", whole.substr(0, whole.size() / 2));
  ProcessResult result = run({"bench", "load", "--data", folder_ / "cut", "--epochs", "1", "--image-size", "32"});
  EXPECT_THAT(result.err, HasSubstr("warning: " + folder_ / "cut" + ": is cut off"));
  std::string spoilt = whole;
  spoilt[spoilt.size() - 20] = static_cast<char>(spoilt[spoilt.size() - 20] ^ 1);
  write_text(folder_ / "index", spoilt);
  result = run({"bench", "load", "--data", folder_ / "index", "--epochs", "1", "--image-size", "32"});
  EXPECT_THAT(result.err, HasSubstr("its index is damaged; 12 pictures were found"));
  EXPECT_THAT(result.out, HasSubstr("12 pictures"));
  write_text(folder_ / "head", whole.substr(0, 100));
  EXPECT_THAT(run({"bench", "load", "--data", folder_ / "head"}, 3).err, HasSubstr("cut off in its header"));

  // One picture that is damaged: skipped and named, as a broken file is.
  const std::string needle = photo_bytes(0, 2);
  spoilt = whole;
  const size_t at = spoilt.find(needle);
  ASSERT_NE(at, std::string::npos);
  spoilt[at + needle.size() / 2] = static_cast<char>(spoilt[at + needle.size() / 2] ^ 1);
  write_text(folder_ / "one", spoilt);
  result = run(train_arguments(folder_ / "one", folder_ / "run"));
  EXPECT_THAT(result.out + result.err, HasSubstr("02.jpg: damaged: its checksum in the pack differs"));
  result = run({"score", folder_ / "run/best.resflow", folder_ / "one"});
  EXPECT_THAT(result.out, HasSubstr("02.jpg,,,damaged: its checksum in the pack differs"));
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 13);
  // Of a pack that is cut off come the rows of what there is, then the error.
  result = run({"score", folder_ / "run/best.resflow", folder_ / "cut", "--batch", "1"}, 3);
  EXPECT_THAT(result.err, HasSubstr(folder_ / "cut" + ": is cut off"));
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'),
            1 + static_cast<std::ptrdiff_t>(list_pictures(folder_ / "cut").size()));
  // An index is not needed to go through all of it.
  result = run({"score", folder_ / "run/best.resflow", folder_ / "index"});
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 13);
  EXPECT_THAT(result.err, Not(HasSubstr("warning")));
  result = run(train_arguments(folder_ / "one", folder_ / "stopped", {"--on-error", "stop"}), 3);
  EXPECT_THAT(result.err, HasSubstr("damaged"));
}

TEST_F(PackProgram, FastDecodingIsKeptByARun) {
  draw_photos(data_, 2, 4);
  run(train_arguments(data_, folder_ / "run", {"--decode", "fast"}));
  const auto options = load_checkpoint(folder_ / "run/last.resflow").training.options;
  EXPECT_NE(std::find(options.begin(), options.end(), std::pair<std::string, std::string>("--decode", "fast")),
            options.end());
  EXPECT_THAT(read_text(folder_ / "run/config.toml"), HasSubstr("decode = \"fast\""));
  EXPECT_THAT(run({"train", data_, "--out", folder_ / "run", "--resume", "--epochs", "2", "--decode", "exact"}, 2).err,
              HasSubstr("--decode was fast, now exact"));
  run({"train", data_, "--out", folder_ / "run", "--resume", "--epochs", "2"});
  const std::string model = folder_ / "run/best.resflow";
  EXPECT_NE(run({"score", model, data_, "--decode", "fast"}).out, run({"score", model, data_}).out);
  run({"evaluate", model, data_, "--decode", "fast"});
}

TEST_F(PackProgram, FeaturesAreThoseOfTheirDecoding) {
  draw_photos(data_, 2, 4);
  run(train_arguments(data_, folder_ / "run"));
  const auto features = [&](const std::string& out, const std::string& decode) {
    return run(train_arguments(data_, folder_ / out,
                               {"--mode", "features", "--weights", folder_ / "run/best.resflow", "--feature-cache",
                                folder_ / "cache", "--decode", decode}))
        .out;
  };
  EXPECT_THAT(features("exact", "exact"), HasSubstr("features   train: 8 pictures into"));
  EXPECT_THAT(features("fast", "fast"), HasSubstr("features   train: 8 pictures into"));
  EXPECT_THAT(features("again", "fast"), HasSubstr("features   train: 8 pictures from"));
}

}  // namespace
}  // namespace resflow::testing
