#include "apps/bench/bottleneck.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "io/core/wording.h"

namespace resflow {
namespace {

constexpr double kWellShared = 0.8;  // two parts share cores well from this fraction of the possible on
constexpr double kNearPeak = 0.6;    // from this fraction of the peak on there is little left to gain
constexpr double kScales = 0.6;      // a part scales if a thread keeps this fraction of the speed of one alone
constexpr int kSmallBatch = 8;

std::string rate(double images) { return images < 100 ? fmt::format("{:.1f}", images) : fmt::format("{:.0f}", images); }

// What would speed the part up, "A, B or C". More cores are among it where they have been seen to help; else the
// sentence ends with that they do not.
std::string means(std::vector<std::string> all, const PipelineRates& r, double speedup) {
  std::string remark;
  if (r.threads <= r.least_threads) {
    all.emplace_back("more cores");
  } else {
    const std::string evidence =
        fmt::format("{} threads do {:.2f} times the work of {}", r.threads, speedup, r.least_threads);
    if (speedup * r.least_threads / r.threads >= kScales)
      all.push_back(fmt::format("more cores ({})", evidence));
    else
      remark = fmt::format("; more cores help little ({})", evidence);
  }
  std::string text = all.front();
  for (size_t i = 1; i < all.size(); ++i) text += (i + 1 < all.size() ? ", " : " or ") + all[i];
  return text + remark;
}

std::string moves_model(const PipelineRates& r) {
  std::vector<std::string> all = {r.train ? "bf16" : "bf16 or int8", "a smaller model"};
  if (r.of_peak < kNearPeak && r.batch < kSmallBatch)
    all.insert(all.begin(), fmt::format("a larger --batch than {}", r.batch));
  const std::string where =
      r.of_peak > 1 ? std::string("by Winograd it is past what a plain product reaches here in f32")
                    : fmt::format("at {:.0f} % of what a plain product reaches here in f32", 100 * r.of_peak);
  return fmt::format("{}, so faster needs {}", where, means(std::move(all), r, r.model_speedup));
}

std::string moves_loading(const std::string& stage, const PipelineRates& r) {
  if (stage == "read") return "faster needs memory that holds the files, a faster disk or fewer, larger files";
  const char* how = stage == "normalize" ? "a smaller --image-size" : "pictures stored no larger than they are needed";
  return fmt::format("faster needs {}", means({how}, r, r.loader_speedup));
}

}  // namespace

Bottleneck find_bottleneck(const PipelineRates& r) {
  const double load_seconds = 1 / r.loader, model_seconds = 1 / r.model;
  const double ideal = 1 / (load_seconds + model_seconds), load_share = load_seconds * ideal;
  if (r.together < kWellShared * ideal)
    return {
        "hand-over",
        fmt::format("Loader and model get in each other's way: {} img/s of the {} that the two can reach on the same "
                    "{} (loader alone {}, model alone {}); a larger --batch or fewer other programs would move it.",
                    rate(r.together), rate(ideal), plural(r.threads, "core", "cores"), rate(r.loader), rate(r.model))};
  if (load_share <= 0.5)
    return {"model", fmt::format("The model holds it back: {} img/s of the {} that it reaches alone, as loading takes "
                                 "{:.0f} % of the time; {}.",
                                 rate(r.together), rate(r.model), 100 * load_share, moves_model(r))};
  const std::pair<const char*, double> stages[] = {
      {"read", 1 / r.read}, {"decode", 1 / r.decode}, {"resize", 1 / r.resize}, {"normalize", 1 / r.normalize}};
  const auto* slowest = std::max_element(std::begin(stages), std::end(stages),
                                         [](const auto& a, const auto& b) { return a.second < b.second; });
  double all = 0;
  for (const auto& stage : stages) all += stage.second;
  const std::string words = slowest->first == std::string("read")     ? "reading files"
                            : slowest->first == std::string("decode") ? "decoding"
                            : slowest->first == std::string("resize") ? "resizing"
                                                                      : "normalizing";
  return {slowest->first,
          fmt::format(
              "Loading holds it back: {} img/s where the model alone does {}, and {} is {:.0f} % of loading; {}.",
              rate(r.together), rate(r.model), words, 100 * slowest->second / all, moves_loading(slowest->first, r))};
}

}  // namespace resflow
