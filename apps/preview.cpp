// resflow preview: a batch of pictures as the network sees it.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>

#include "apps/commands.h"
#include "apps/data/damaged_packs.h"
#include "apps/data/listing_remarks.h"
#include "apps/data/preview_grid.h"
#include "apps/data/unread_folders.h"
#include "apps/host/console.h"
#include "apps/host/terminal_listener.h"
#include "apps/host/thread_limit.h"
#include "apps/model/model_file.h"
#include "apps/options/augment_options.h"
#include "apps/options/common.h"
#include "apps/options/option_row.h"
#include "apps/options/selection_options.h"
#include "apps/train/augment_options.h"
#include "io/core/check_range.h"
#include "io/core/error.h"
#include "io/core/wording.h"
#include "io/files/file.h"
#include "io/files/outputs.h"
#include "io/images/png_encode.h"
#include "io/pictures/data_folders.h"
#include "pipeline/loader.h"
#include "pipeline/recipe.h"

namespace resflow {
namespace {

struct PreviewOptions {
  std::string data, out, recipe = "train", model, interpolation;
  int batch = 16, columns = 0, image_size = 0, threads = 0;
  uint64_t epoch = 0, seed = 0;
  AugmentOptions augment;
  AcceptanceOptions accept;
  Selection selection;
  std::set<std::string> given;  // names of the augmentation's options that the user wrote
};

// The preprocessing of --model, or the one that training starts with, at --image-size.
Preprocessing preprocessing_of(const PreviewOptions& o, Listener& listener) {
  constexpr int kUsualSize = 224;
  const auto resampled = [&](Preprocessing p) {
    if (!o.interpolation.empty()) p.interpolation = o.interpolation;
    return p;
  };
  if (o.model.empty()) return resampled(eval_preprocessing(o.image_size > 0 ? o.image_size : kUsualSize));
  const ModelFacts facts = model_facts(o.model, {}, listener);
  if (!facts.preprocessing)
    listener.note(fmt::format("{}: does not say how pictures are prepared: ImageNet's is taken", facts.path));
  const Preprocessing p = facts.preprocessing.value_or(Preprocessing());
  return resampled(o.image_size > 0 ? scaled_preprocessing(p, o.image_size) : p);
}

Recipe recipe_of(const PreviewOptions& o, const Preprocessing& preprocessing) {
  if (o.recipe == "eval") return Recipe::eval(preprocessing);
  return train_recipe(preprocessing.crop, preprocessing, o.augment);
}

// Validation data for the recipe eval, if there are any; else training data.
DataPart part_of(const PreviewOptions& o) {
  const std::vector<DataPart> parts = data_parts(o.data);
  const auto val = std::find_if(parts.begin(), parts.end(), [](const DataPart& p) { return p.name == "val"; });
  return o.recipe == "eval" && val != parts.end() ? *val : parts.front();
}

int preview(const PreviewOptions& o, int threads) {
  constexpr int kMostTiles = 1024, kLargestSide = 4096;
  constexpr int64_t kMostPixels = 200'000'000;  // of the grid: 800 MB while it is drawn
  if (o.recipe != "train" && o.recipe != "eval") throw usage_error("--recipe '{}': wanted train or eval", o.recipe);
  check(o.augment, o.given);
  check(o.selection);
  check_outputs({{"--out", o.out}}, {o.data, o.model});
  check_range("--batch", o.batch, 1, kMostTiles);
  check_range("--columns", o.columns, 0, kMostTiles);
  if (o.image_size != 0) check_range("--image-size", o.image_size, 1, kLargestSide);
  TerminalListener listener;
  const Preprocessing preprocessing = preprocessing_of(o, listener);
  const Recipe recipe = recipe_of(o, preprocessing);
  Acceptance accept = o.accept.accept();
  accept.truncated = accept.truncated || preprocessing.take_truncated;
  accept.scale_grey16 = accept.scale_grey16 || preprocessing.scale_grey16;
  const PreviewGridOptions grid = {.columns = o.columns, .limit = kMostTiles};
  const PreviewLayout layout = preview_layout(o.batch, recipe.size, grid);
  if (int64_t{layout.width} * layout.height > kMostPixels)
    throw usage_error("a grid of {} pictures of {} is {} x {}: smaller --batch or --image-size", o.batch, recipe.size,
                      layout.width, layout.height);

  const ThreadLimit limit(threads);
  const DataPart part = part_of(o);
  refuse_mistaken_parts(part.root, {.command = "resflow preview"});
  const Dataset dataset = list_image_folder(part.root, o.selection);
  remark_on_listing(dataset, part.root, listener);
  note_idle_patterns(o.selection, dataset.left_out.patterns, listener);
  warn_of_damaged_packs(dataset.samples, listener);
  warn_of_unread_folders(dataset, listener);
  Loader loader(
      dataset, recipe,
      {.batch = o.batch, .threads = threads, .slots = 1, .seed = o.seed, .accept = accept, .reading = {.outage = 0}});
  std::optional<Image> image;
  int shown = 0, truncated = 0;
  loader.run(o.epoch, 0, [&](const Batch& batch) {
    for (const BrokenPicture& broken : batch.broken)
      listener.warn(fmt::format("{}: {}", dataset.samples[static_cast<size_t>(broken.sample)].path, broken.reason));
    shown = batch.size;
    truncated = batch.truncated;
    if (shown > 0) image = draw_preview_grid(batch, dataset, recipe.mean, recipe.std, grid);
    return false;
  });
  if (!image) throw data_error("{}: none of the batch's pictures can be read; another --seed?", part.root);
  replace_file(o.out, encode_png(*image));
  print_out("wrote      {} ({} x {}): {} of {}, {} recipe, epoch {}, seed {}\n", o.out, image->width(), image->height(),
            plural(shown, "picture", "pictures"), part.root, o.recipe, o.epoch, o.seed);
  if (truncated > 0)
    print_out("truncated  {}, taken as far as there are pixels\n", plural(truncated, "picture", "pictures"));
  return 0;
}

}  // namespace

Action add_preview(CLI::App& command) {
  auto options = std::make_shared<PreviewOptions>();
  PreviewOptions& o = *options;
  command
      .add_option("DATA", o.data,
                  "folder of class folders with photographs, or one that holds train/ and val/; or a pack")
      ->required();
  command.add_option("--out", o.out, "the picture to write, a PNG")->required();
  command
      .add_option(
          "--recipe", o.recipe,
          "train: cropped and mirrored at random; eval: as for validation and scoring, of val/ where it is there")
      ->capture_default_str();
  command.add_option("--batch", o.batch, "pictures")->capture_default_str();
  command.add_option("--columns", o.columns, "pictures side by side [about as many as above each other]");
  command.add_option("--epoch", o.epoch, "whose draws are shown, from 0")->capture_default_str();
  command.add_option("--seed", o.seed, "of the order and the draws")->capture_default_str();
  command.add_option("--image-size", o.image_size, "side of the network's input [224, or what --model has]");
  command.add_option("--model", o.model, "take the preprocessing of this file of weights, or of MODEL:ENTRY");
  add_interpolation_option(command, o.interpolation, "bilinear, or what --model has");
  add_augment_options(command, o.augment);
  add_acceptance_options(command, o.accept);
  add_selection_options(command, o.selection);
  add_threads_option(command, o.threads);
  command.footer(
      "The pictures are read back from the numbers that the network gets. With training's --batch, --seed and\n"
      "--image-size they are the first batch of that epoch. Small ones are shown enlarged, a pixel as a square.\n\n"
      "Example:\n"
      "  resflow preview photos --out grid.png\n"
      "  resflow preview photos --out grid.png --recipe eval --batch 32 --columns 8\n"
      "  resflow preview photos --out grid.png --model run/best.resflow");
  return [options, &command] {
    options->given = given_options(command, augment_option_table());
    return preview(*options, resolve_threads(command, options->threads));
  };
}

}  // namespace resflow
