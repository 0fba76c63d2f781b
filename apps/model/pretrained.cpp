#include "apps/model/pretrained.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <utility>

#include "graph/model/model_zoo.h"
#include "io/core/error.h"
#include "io/core/wording.h"
#include "io/files/file_sha256.h"

namespace resflow {
namespace {

namespace fs = std::filesystem;

constexpr PretrainedWeights kTorchvisions[] = {
    // model, entry, file, MiB, acc@1, acc@5, resize, parameters
    {"resnet18", "IMAGENET1K_V1", "resnet18-f37072fd.pth", 44.661, 69.758, 89.078, 256, 11'689'512},
    {"resnet34", "IMAGENET1K_V1", "resnet34-b627a593.pth", 83.275, 73.314, 91.42, 256, 21'797'672},
    {"resnet50", "IMAGENET1K_V1", "resnet50-0676ba61.pth", 97.781, 76.13, 92.862, 256, 25'557'032},
    {"resnet50", "IMAGENET1K_V2", "resnet50-11ad3fa6.pth", 97.79, 80.858, 95.434, 232, 25'557'032},
    {"resnet101", "IMAGENET1K_V1", "resnet101-63fe2227.pth", 170.511, 77.374, 93.546, 256, 44'549'160},
    {"resnet101", "IMAGENET1K_V2", "resnet101-cd907fc2.pth", 170.53, 81.886, 95.78, 232, 44'549'160},
    {"resnet152", "IMAGENET1K_V1", "resnet152-394f9c45.pth", 230.434, 78.312, 94.046, 256, 60'192'808},
    {"resnet152", "IMAGENET1K_V2", "resnet152-f82ba261.pth", 230.474, 82.284, 96.002, 232, 60'192'808},
    {"resnext50_32x4d", "IMAGENET1K_V1", "resnext50_32x4d-7cdf4587.pth", 95.789, 77.618, 93.698, 256, 25'028'904},
    {"resnext50_32x4d", "IMAGENET1K_V2", "resnext50_32x4d-1a0047aa.pth", 95.833, 81.198, 95.34, 232, 25'028'904},
    {"resnext101_32x8d", "IMAGENET1K_V1", "resnext101_32x8d-8ba56ff5.pth", 339.586, 79.312, 94.526, 256, 88'791'336},
    {"resnext101_32x8d", "IMAGENET1K_V2", "resnext101_32x8d-110c445d.pth", 339.673, 82.834, 96.228, 232, 88'791'336},
    {"resnext101_64x4d", "IMAGENET1K_V1", "resnext101_64x4d-173b62eb.pth", 319.318, 83.246, 96.454, 232, 83'455'272},
    {"wide_resnet50_2", "IMAGENET1K_V1", "wide_resnet50_2-95faca4d.pth", 131.82, 78.468, 94.086, 256, 68'883'240},
    {"wide_resnet50_2", "IMAGENET1K_V2", "wide_resnet50_2-9ba9bcbe.pth", 263.124, 81.602, 95.758, 232, 68'883'240},
    {"wide_resnet101_2", "IMAGENET1K_V1", "wide_resnet101_2-32ee1156.pth", 242.896, 78.848, 94.284, 256, 126'886'696},
    {"wide_resnet101_2", "IMAGENET1K_V2", "wide_resnet101_2-d733dc28.pth", 484.747, 82.51, 96.02, 232, 126'886'696},
};

// NOLINTNEXTLINE(clang-analyzer-optin.performance.Padding): in the order in which the table is read
struct TimmRow {
  std::string_view model, entry, file;
  double mebibytes, top1, top5;
  int resize;
  int64_t parameters;
  int crop, train_size;
  std::string_view interpolation;
  bool halves;
  std::string_view pth;
};
constexpr TimmRow kTimms[] = {
#include "apps/model/timm_weights.inc"
};

constexpr std::string_view kUrl = "https://download.pytorch.org/models/";
constexpr std::string_view kHub = "https://huggingface.co/timm/";

// By models, torchvision's first.
const std::vector<PretrainedWeights>& table() {
  static const std::vector<PretrainedWeights> all = [] {
    std::vector<PretrainedWeights> rows;
    for (const std::string& model : model_names()) {
      std::copy_if(std::begin(kTorchvisions), std::end(kTorchvisions), std::back_inserter(rows),
                   [&](const PretrainedWeights& w) { return w.model == model; });
      for (const TimmRow& row : kTimms) {
        if (row.model != model) continue;
        rows.push_back({.model = row.model,
                        .entry = row.entry,
                        .file = row.file,
                        .mebibytes = row.mebibytes,
                        .top1 = row.top1,
                        .top5 = row.top5,
                        .resize = row.resize,
                        .parameters = row.parameters,
                        .crop = row.crop,
                        .train_size = row.train_size,
                        .interpolation = row.interpolation,
                        .halves = row.halves,
                        .pth = row.pth,
                        .of_timm = true});
      }
    }
    return rows;
  }();
  return all;
}

std::string environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// A leading ~ is still there where no shell has read it. torch takes it for the home folder.
std::string expand_home(const std::string& path) {
  const std::string home = environment("HOME");
  return !home.empty() && (path == "~" || path.starts_with("~/")) ? home + path.substr(1) : path;
}

bool is_model(std::string_view name) {
  const auto& models = model_names();
  return std::find(models.begin(), models.end(), name) != models.end();
}

std::vector<std::string> entries_of(std::string_view model) {
  std::vector<std::string> entries;
  for (const PretrainedWeights& w : table())
    if (w.model == model) entries.emplace_back(w.entry);
  entries.emplace_back("DEFAULT");
  return entries;
}

}  // namespace

std::string PretrainedWeights::name() const { return fmt::format("{}:{}", model, entry); }

std::string_view PretrainedWeights::pth_file() const { return of_timm ? pth.substr(pth.rfind('/') + 1) : file; }

std::string_view PretrainedWeights::hash_prefix() const {
  const std::string_view name = pth_file();
  if (name.empty()) return {};
  const size_t dash = name.rfind('-');
  return name.substr(dash + 1, name.rfind('.') - dash - 1);
}

std::string PretrainedWeights::url() const {
  return of_timm ? fmt::format("{}{}.{}/resolve/main/model.safetensors", kHub, model, entry)
                 : fmt::format("{}{}", kUrl, file);
}

Preprocessing PretrainedWeights::preprocessing() const {
  Preprocessing p;
  p.resize = resize;
  p.crop = crop;
  p.interpolation = interpolation;
  if (halves) p.mean = p.std = {0.5F, 0.5F, 0.5F};
  return p;
}

std::span<const PretrainedWeights> pretrained_weights() { return table(); }

const PretrainedWeights& default_weights(std::string_view model) {
  const auto last =
      std::find_if(table().rbegin(), table().rend(), [&](const auto& w) { return w.model == model && !w.of_timm; });
  if (last == table().rend()) throw internal_error("no pretrained weights of {}", model);
  return *last;
}

bool names_pretrained(const std::string& text) {
  std::error_code ignored;
  if (fs::exists(text, ignored) || text.find('/') != std::string::npos) return false;
  return text.find(':') != std::string::npos || is_model(text);
}

const PretrainedWeights& pretrained_named(const std::string& spec) {
  const size_t colon = spec.find(':');
  const std::string model = spec.substr(0, colon);
  if (!is_model(model))
    throw usage_error("{}: there are no pretrained weights of \"{}\", but of {}; in the form resnet34:IMAGENET1K_V1",
                      spec, model, fmt::join(model_names(), ", "));
  const std::string entry = colon == std::string::npos ? "" : spec.substr(colon + 1);
  if (entry == "DEFAULT") return default_weights(model);
  const auto found =
      std::find_if(table().begin(), table().end(), [&](const auto& w) { return w.model == model && w.entry == entry; });
  if (found != table().end()) return *found;
  const auto wanted = fmt::format("{}:{}", model, fmt::join(entries_of(model), fmt::format(", {}:", model)));
  if (entry.empty()) throw usage_error("{}: does not say which of its weights: wanted {}", spec, wanted);
  throw usage_error("{}: {} has no weights called \"{}\": wanted {}", spec, model, entry, wanted);
}

const PretrainedWeights* pretrained_of_hash(std::string_view sha256) {
  for (const PretrainedWeights& w : table())
    if (!w.hash_prefix().empty() && sha256.starts_with(w.hash_prefix())) return &w;
  return nullptr;
}

std::vector<std::string> pretrained_folders() {
  std::vector<std::string> folders;
  const std::string own = environment("RESFLOW_WEIGHTS"), torch = environment("TORCH_HOME"),
                    cache = environment("XDG_CACHE_HOME");
  if (!own.empty()) folders.push_back(expand_home(own));
  if (!torch.empty()) folders.push_back(expand_home(torch) + "/hub/checkpoints");
  if (!cache.empty())
    folders.push_back(expand_home(cache) + "/torch/hub/checkpoints");
  else if (!environment("HOME").empty())
    folders.push_back(expand_home("~/.cache/torch/hub/checkpoints"));
  return folders;
}

std::string hub_cache() {
  const std::string own = environment("HF_HUB_CACHE"), home = environment("HF_HOME"),
                    cache = environment("XDG_CACHE_HOME");
  if (!own.empty()) return expand_home(own);
  if (!home.empty()) return expand_home(home) + "/hub";
  if (!cache.empty()) return expand_home(cache) + "/huggingface/hub";
  return environment("HOME").empty() ? "" : expand_home("~/.cache/huggingface/hub");
}

namespace {

// HUB/models--timm--resnet34.a1_in1k/snapshots/REVISION/model.safetensors: of the revision that refs/main names, or
// else of any.
std::optional<std::string> locate_in_hub(const PretrainedWeights& weights) {
  const std::string hub = hub_cache();
  if (hub.empty()) return std::nullopt;
  const fs::path repository = fs::path(hub) / fmt::format("models--timm--{}.{}", weights.model, weights.entry);
  std::vector<fs::path> snapshots;
  std::error_code error;
  for (fs::directory_iterator at(repository / "snapshots", error), end; !error && at != end; at.increment(error))
    snapshots.push_back(at->path());
  std::string main;
  std::ifstream(repository / "refs" / "main") >> main;
  std::sort(snapshots.begin(), snapshots.end(), [&](const fs::path& a, const fs::path& b) {
    return std::pair(a.filename() != main, a) < std::pair(b.filename() != main, b);
  });
  for (const fs::path& snapshot : snapshots)
    for (const char* name : {"model.safetensors", "pytorch_model.bin"}) {
      std::error_code ignored;
      if (fs::exists(snapshot / name, ignored)) return (snapshot / name).string();
    }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> locate_pretrained(const PretrainedWeights& weights) {
  for (const std::string& folder : pretrained_folders()) {
    for (const std::string_view name : {weights.file, weights.pth_file()}) {
      if (name.empty()) continue;
      const fs::path path = fs::path(folder) / name;
      std::error_code ignored;
      if (fs::exists(path, ignored)) return path.string();
    }
  }
  return weights.of_timm ? locate_in_hub(weights) : std::nullopt;
}

bool says_hash(const PretrainedWeights& weights, const std::string& path) {
  return !weights.pth_file().empty() && fs::path(path).filename() == weights.pth_file();
}

PretrainedFile find_pretrained(const PretrainedWeights& weights) {
  const std::optional<std::string> path = locate_pretrained(weights);
  if (!path) {
    const std::vector<std::string> folders = pretrained_folders();
    throw data_error("{}: {} is not on this machine: get {} ({}) and put it{} into {}", weights.name(), weights.file,
                     weights.url(), format_bytes(weights.mebibytes * 0x1p20), weights.of_timm ? " under that name" : "",
                     folders.empty() ? "a folder that the environment variable RESFLOW_WEIGHTS names"
                                     : fmt::format("{}", fmt::join(folders, " or ")));
  }
  const std::string sha256 = file_sha256(*path);
  if (says_hash(weights, *path) && !sha256.starts_with(weights.hash_prefix()))
    throw data_error(
        "{}: its SHA-256 begins with {}, that of {} with {}: damaged, not complete, or another file; remove it and get "
        "{} again",
        *path, sha256.substr(0, weights.hash_prefix().size()), weights.name(), weights.hash_prefix(), weights.url());
  return {&weights, *path, sha256};
}

PretrainedFile find_pretrained(const std::string& spec) { return find_pretrained(pretrained_named(spec)); }

}  // namespace resflow
