// The examples in the comments of headers compile: each stands here as a function, and in its header in the same words.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "graph/model/model.h"
#include "graph/plan/plan.h"
#include "graph/train/trainer.h"
#include "io/checkpoint/checkpoint.h"
#include "io/files/file.h"
#include "io/images/decode.h"
#include "io/pictures/dataset.h"
#include "io/pictures/folder_source.h"
#include "pipeline/loader.h"
#include "pipeline/stream_loader.h"

namespace resflow {
namespace {

[[maybe_unused]] void example_of_decoder() {
  // EXAMPLE io/images/decode.h
  std::vector<uint8_t> buffer;
  Decoder decoder;
  Image image;
  for (const std::string path : {"ant.jpg", "bee.png"}) {
    decoder.open(read_file(path, buffer), path);
    decoder.decode(image);  // image.row(y) is image.width() pixels of red, green, blue
  }
  // END
}

[[maybe_unused]] void example_of_checkpoint(const Model& model) {
  // EXAMPLE io/checkpoint/checkpoint.h
  Checkpoint checkpoint;
  checkpoint.model = model.description();
  checkpoint.classes = {"ants", "bees"};
  checkpoint.parameters = model.state();
  save_checkpoint(checkpoint, "model.resflow");
  const Checkpoint again = load_checkpoint("model.resflow");  // the same values, bit by bit
  // END
}

[[maybe_unused]] void example_of_plan(const std::vector<float>& pixels) {
  // EXAMPLE graph/plan/plan.h
  const Compute compute(4);
  Model model({.architecture = "resnet18", .num_classes = 10}, compute);
  model.initialise(1);
  Plan plan(model, {.batch = 32, .height = 224, .width = 224});
  const std::span<const float> logits = plan.forward(pixels.data(), 32);  // pixels (32,3,224,224), logits (32,10)
  // END
  static_cast<void>(logits);
}

[[maybe_unused]] void example_of_trainer(Model& model, Loader& loader) {
  // EXAMPLE graph/train/trainer.h
  Trainer trainer(model, 32, 224, {.name = "adam", .lr = 1e-3});
  loader.run(0, 0, [&](const Batch& batch) {
    if (batch.size > 0) trainer.step(batch.pixels, batch.labels);
    return true;
  });
  // END
}

[[maybe_unused]] void example_of_loader(Trainer& trainer) {
  // EXAMPLE pipeline/loader.h
  const Dataset photos = list_image_folder("photos/train");
  Loader loader(photos, Recipe::train(224), {.batch = 32, .threads = 4, .seed = 1});
  for (uint64_t epoch = 0; epoch < 10; ++epoch)
    loader.run(epoch, 0, [&](const Batch& batch) {
      if (batch.size > 0) trainer.step(batch.pixels, batch.labels);
      return true;  // false would end the epoch here
    });
  // END
}

[[maybe_unused]] void example_of_stream_loader(Plan& plan) {
  // EXAMPLE pipeline/stream_loader.h
  FolderSource source("photos");
  StreamLoader loader(source, Recipe::eval(eval_preprocessing(224)), {.batch = 32, .threads = 4});
  loader.run([&](const Batch& batch) {
    if (batch.size > 0) plan.forward(batch.pixels, batch.size);  // batch.names says what the pictures are called
    return true;
  });
  // END
}

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

TEST(HeaderExamples, StandInTheirHeadersInTheSameWords) {
  const std::filesystem::path root = RESFLOW_SOURCE_DIR;
  const std::string begin = "  // EXAMPLE ", end = "  // END";
  std::vector<std::string> header;
  size_t at = 0;
  int examples = 0;
  bool within = false;
  for (const std::string& line : lines_of(root / "tests/apps/header_examples_test.cpp")) {
    if (line.starts_with(begin)) {
      header = lines_of(root / line.substr(begin.size()));
      ASSERT_FALSE(header.empty()) << line;
      at = 0;
      within = true;
      ++examples;
    } else if (line == end) {
      within = false;
    } else if (within) {
      const std::string wanted = "//   " + line.substr(2);
      while (at < header.size() && header[at] != wanted) ++at;
      EXPECT_LT(at++, header.size()) << "not in the header, or not in this order: " << wanted;
    }
  }
  EXPECT_EQ(examples, 6);
}

}  // namespace
}  // namespace resflow
