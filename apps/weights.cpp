// resflow weights: torchvision's and timm's pretrained ResNets, and which of them are on this machine.
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "apps/commands.h"
#include "apps/host/console.h"
#include "apps/model/pretrained.h"
#include "graph/model/model_zoo.h"
#include "io/core/error.h"
#include "io/core/wording.h"
#include "io/files/file_sha256.h"

namespace resflow {
namespace {

struct WeightsOptions {
  std::string which;
  bool json = false, verify = false;
};

// An entry and its file on this machine.
struct Row {
  const PretrainedWeights* weights = nullptr;
  std::optional<std::string> path;
  std::string sha256;  // empty where it was not asked for

  bool has_hash() const { return path && says_hash(*weights, *path); }
  bool is_wrong() const { return !sha256.empty() && has_hash() && !sha256.starts_with(weights->hash_prefix()); }
};

bool is_default(const PretrainedWeights& w) { return &default_weights(w.model) == &w; }

std::string state(const Row& row) {
  if (!row.path) return "-";
  if (row.sha256.empty() || !row.has_hash()) return "here";
  return row.is_wrong() ? "damaged" : "verified";
}

std::string named(const PretrainedWeights& w) { return w.name() + (is_default(w) ? " *" : ""); }

void print_table(const std::vector<Row>& rows) {
  size_t names = 0, files = 0;
  for (const Row& row : rows) {
    names = std::max(names, named(*row.weights).size());
    files = std::max(files, row.weights->file.size());
  }
  print_out("{:{}}  {:{}} {:>9} {:>7} {:>7} {:>6} {:>7} {:>5} {:9} {:>12}  {}\n", "weights", names, "file", files,
            "size", "acc@1", "acc@5", "train", "resize", "crop", "", "parameters", "on this machine");
  for (const Row& row : rows) {
    const PretrainedWeights& w = *row.weights;
    const Preprocessing p = w.preprocessing();
    print_out("{:{}}  {:{}} {:>9} {:7.3f} {:7.3f} {:6} {:7} {:5} {:9} {:>12}  {}\n", named(w), names, w.file, files,
              format_bytes(w.mebibytes * 0x1p20), w.top1, w.top5, w.train_size, p.resize, p.crop, p.interpolation,
              format_count(w.parameters), state(row));
  }
  print_out(
      "\n* is what MODEL:DEFAULT stands for. MODEL:IMAGENET1K_* are torchvision's, the others timm's, and so are "
      "their\n"
      "acc@1 and acc@5, on ImageNet-1K.\n");
  std::set<std::string> paths;  // timm has some of torchvision's files, too
  for (const Row& row : rows)
    if (row.path && paths.insert(*row.path).second) print_out("{}\n", *row.path);
  const std::vector<std::string> folders = pretrained_folders();
  print_out("looked for in {}\n", folders.empty() ? "no folder: RESFLOW_WEIGHTS, TORCH_HOME and HOME are not set"
                                                  : fmt::format("{}", fmt::join(folders, ", ")));
  if (const std::string hub = hub_cache(); !hub.empty()) print_out("timm's in {}, too\n", hub);
}

nlohmann::ordered_json to_json(const Row& row) {
  const PretrainedWeights& w = *row.weights;
  const Preprocessing p = w.preprocessing();
  nlohmann::ordered_json entry;
  entry["name"] = w.name();
  entry["model"] = w.model;
  entry["entry"] = w.entry;
  entry["default"] = is_default(w);
  entry["file"] = w.file;
  entry["url"] = w.url();
  entry["maker"] = w.of_timm ? "timm" : "torchvision";
  entry["pth"] = w.of_timm ? std::string(w.pth) : w.url();
  entry["train_size"] = w.train_size;
  entry["sha256_prefix"] = w.hash_prefix();
  entry["mebibytes"] = w.mebibytes;
  entry["acc@1"] = w.top1;
  entry["acc@5"] = w.top5;
  entry["parameters"] = w.parameters;
  entry["preprocessing"] = {{"resize", p.resize}, {"crop", p.crop}, {"interpolation", p.interpolation}};
  entry["preprocessing"]["mean"] = p.mean;
  entry["preprocessing"]["std"] = p.std;
  entry["path"] = row.path ? nlohmann::ordered_json(*row.path) : nlohmann::ordered_json();
  if (!row.sha256.empty()) {
    entry["sha256"] = row.sha256;
    entry["verified"] = row.has_hash() && !row.is_wrong();
  }
  return entry;
}

// The folders come from environment variables, which need not be UTF-8.
void print_listing_json(const nlohmann::ordered_json& json) {
  print_data(json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n");
}

// Says where the file of one entry is. Its hash is always verified.
int show_one(const WeightsOptions& o) {
  const PretrainedWeights& weights = pretrained_named(o.which);
  if (o.json && !locate_pretrained(weights)) {
    print_listing_json(to_json({.weights = &weights, .path = std::nullopt, .sha256 = {}}));
  }
  const PretrainedFile file = find_pretrained(weights);
  if (o.json) {
    print_listing_json(to_json({.weights = &weights, .path = file.path, .sha256 = file.sha256}));
  } else {
    print_out("weights    {}, {} parameters, acc@1 {} acc@5 {}\n", weights.name(), format_count(weights.parameters),
              weights.top1, weights.top5);
    print_out("path       {}\nsha256     {}\n", file.path, file.sha256);
    print_out("next       resflow train DATA --weights {}\n", weights.name());
  }
  return 0;
}

int list_weights(const WeightsOptions& o) {
  std::vector<Row> rows;
  for (const PretrainedWeights& w : pretrained_weights()) {
    if (!o.which.empty() && w.model != o.which) continue;
    Row row = {.weights = &w, .path = locate_pretrained(w), .sha256 = {}};
    if (o.verify && row.path) row.sha256 = file_sha256(*row.path);
    rows.push_back(std::move(row));
  }
  if (o.json) {
    nlohmann::ordered_json report;
    report["weights"] = nlohmann::ordered_json::array();
    for (const Row& row : rows) report["weights"].push_back(to_json(row));
    report["folders"] = pretrained_folders();
    print_listing_json(report);
  } else {
    print_table(rows);
  }

  std::set<std::string> wrong;
  for (const Row& row : rows)
    if (row.is_wrong()) wrong.insert(*row.path);
  if (!wrong.empty())
    throw data_error("{}: not the SHA-256 that the name says: remove and get again", fmt::join(wrong, ", "));
  return 0;
}

int weights(const WeightsOptions& o) {
  const auto& models = model_names();
  const bool is_model = std::find(models.begin(), models.end(), o.which) != models.end();
  return o.which.empty() || is_model ? list_weights(o) : show_one(o);
}

}  // namespace

Action add_weights(CLI::App& command) {
  auto o = std::make_shared<WeightsOptions>();
  command.add_option("WEIGHTS", o->which, "MODEL:ENTRY says where that file is, or which to get; MODEL lists its own");
  command.add_flag("--verify", o->verify, "compute the SHA-256 of the files that are here");
  command.add_flag("--json", o->json, "print JSON");
  command.footer(
      "Files are looked for in $RESFLOW_WEIGHTS, then where torch keeps them: $TORCH_HOME/hub/checkpoints and\n"
      "${XDG_CACHE_HOME:-~/.cache}/torch/hub/checkpoints; timm's also where the Hugging Face hub keeps them:\n"
      "$HF_HUB_CACHE, $HF_HOME/hub or ${XDG_CACHE_HOME:-~/.cache}/huggingface/hub.\n\n"
      "Example:\n"
      "  resflow weights\n"
      "  resflow weights resnet50:IMAGENET1K_V2\n"
      "  resflow weights resnet50:a1_in1k\n"
      "  resflow train photos --weights resnet50:DEFAULT --lr 1e-4");
  return [o] { return weights(*o); };
}

}  // namespace resflow
