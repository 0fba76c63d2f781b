#include "apps/bench/compare.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <vector>

#include "io/core/error.h"
#include "io/core/text.h"
#include "io/core/wording.h"
#include "io/files/file.h"

namespace resflow {
namespace {

using nlohmann::json;

constexpr const char* kGemm = "gemm";
constexpr double kSameMachine = 0.05;  // the product's speed may differ by so much

// Settings that both must share, with the options that set them.
struct Setting {
  const char* name;   // a JSON pointer
  const char* words;  // for people
  const char* option;
};
constexpr Setting kSettings[] = {{"/mode", "mode", "--train"},
                                 {"/model", "model", "--model"},
                                 {"/batch", "batch", "--batch"},
                                 {"/image_size", "image size", "--image-size"},
                                 {"/recipe", "recipe", "--recipe"},
                                 {"/data/synthetic", "synthetic pictures", "--synthetic"},
                                 {"/data/pictures", "number of pictures", "--pictures"},
                                 {"/data/bytes", "bytes of all pictures", "--data"}};

std::string text_of(const json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

bool is_pipeline(const json& file) {
  return file.is_object() && file.contains("what") && file["what"] == "pipeline" && file.contains("parts") &&
         file["parts"].is_array();
}

bool is_part(const json& part) {
  return part.is_object() && part.contains("part") && part["part"].is_string() && part.contains("threads") &&
         part["threads"].is_number_integer() && part.contains("repeats") && part["repeats"].is_array() &&
         !part["repeats"].empty() && std::all_of(part["repeats"].begin(), part["repeats"].end(), [](const json& value) {
           return value.is_number() && value.get<double>() > 0 && std::isfinite(value.get<double>());
         });
}

std::string name_of(const json& part) {
  return fmt::format("{} with {}", part["part"].get<std::string>(),
                     plural(part["threads"].get<int64_t>(), "thread", "threads"));
}

const json* find(const json& parts, const json& wanted) {
  for (const json& part : parts)
    if (part["part"] == wanted["part"] && part["threads"] == wanted["threads"]) return &part;
  return nullptr;
}

MedianInterval interval_of(const json& part) { return median_interval(part["repeats"].get<std::vector<double>>()); }

ComparedPart::Verdict verdict(const MedianInterval& before, const MedianInterval& now, double tolerance) {
  if (now.high < before.low && now.median < before.median * (1 - tolerance)) return ComparedPart::Verdict::kSlower;
  if (now.low > before.high && now.median > before.median * (1 + tolerance)) return ComparedPart::Verdict::kFaster;
  return ComparedPart::Verdict::kSame;
}

const char* words_of(ComparedPart::Verdict verdict) {
  switch (verdict) {
    case ComparedPart::Verdict::kFaster:
      return "faster";
    case ComparedPart::Verdict::kSlower:
      return "SLOWER";
    case ComparedPart::Verdict::kSame:
      break;
  }
  return "the same";
}

}  // namespace

int BenchComparison::slower() const {
  return static_cast<int>(std::count_if(parts.begin(), parts.end(), [](const ComparedPart& part) {
    return part.part != kGemm && part.verdict == ComparedPart::Verdict::kSlower;
  }));
}

json read_bench(const std::string& path) {
  std::vector<uint8_t> buffer;
  const auto bytes = read_file(path, buffer);
  json file = json::parse(bytes.begin(), bytes.end(), nullptr, false);
  if (file.is_discarded()) throw data_error("{}: is no JSON; wanted a file of resflow bench pipeline --json", path);
  if (!is_pipeline(file) || !std::all_of(file["parts"].begin(), file["parts"].end(), is_part))
    throw data_error("{}: has no measurements of a pipeline; wanted a file of resflow bench pipeline --json", path);
  if (!file.contains("schema") || file["schema"] != 1)
    throw data_error("{}: schema is {}, this resflow reads 1: measure again", path,
                     file.contains("schema") ? file["schema"].dump() : "absent");
  return file;
}

std::vector<std::string> check_comparable(const std::string& path, const json& before, const json& now) {
  std::vector<std::string> different;
  for (const Setting& setting : kSettings) {
    const json::json_pointer place(setting.name);
    const json was = before.contains(place) ? before.at(place) : json(nullptr);
    const json& is = now.at(place);
    if (was != is)
      different.push_back(
          fmt::format("{} is {}, here {} ({})", setting.words, text_of(was), text_of(is), setting.option));
  }
  if (!different.empty()) throw data_error("{}: measured something else: {}", path, fmt::join(different, "; "));
  std::vector<std::string> remarks;
  for (const auto& [name, words] : {std::pair{"cpu", "the CPU"}, {"isa", "the instruction set"}})
    if (const std::string was = text_of(before.value(name, json("not said"))), is = text_of(now.at(name)); was != is)
      remarks.push_back(
          fmt::format("{}: {} was {}, here it is {}: the ratios compare machines, not programs", path, words, was, is));
  return remarks;
}

BenchComparison compare_bench(const std::string& path, const json& before, const json& now, double tolerance) {
  BenchComparison comparison;
  for (const json& part : now.at("parts")) {
    const json* other = find(before.at("parts"), part);
    if (other == nullptr) {
      comparison.only_now.push_back(name_of(part));
      continue;
    }
    ComparedPart compared = {.part = part["part"].get<std::string>(),
                             .threads = part["threads"].get<int>(),
                             .before = interval_of(*other),
                             .now = interval_of(part)};
    compared.verdict = verdict(compared.before, compared.now, tolerance);
    if (compared.part == kGemm) comparison.machine_ratio = compared.ratio();
    comparison.parts.push_back(std::move(compared));
  }
  for (const json& part : before.at("parts"))
    if (find(now.at("parts"), part) == nullptr) comparison.only_before.push_back(name_of(part));
  if (comparison.parts.empty())
    throw data_error("{}: has no part with as many threads as here: give --sweep the numbers that it has", path);
  return comparison;
}

std::string comparison_text(const std::string& path, const BenchComparison& comparison, double tolerance) {
  std::string text = format_printable("\nagainst {}\n{:10} {:>7} {:>10} {:>22} {:>10} {:>22} {:>7}\n", path, "part",
                                      "threads", "before", "from to", "now", "from to", "ratio");
  const auto range = [](const MedianInterval& i) {
    return fmt::format("{} {}", format_rate(i.low), format_rate(i.high));
  };
  for (const ComparedPart& part : comparison.parts)
    text += fmt::format("{:10} {:7} {:>10} {:>22} {:>10} {:>22} {:>6.3f}x  {}\n", part.part, part.threads,
                        format_rate(part.before.median), range(part.before), format_rate(part.now.median),
                        range(part.now), part.ratio(), words_of(part.verdict));
  if (!comparison.only_before.empty())
    text += fmt::format("not measured here: {}\n", fmt::join(comparison.only_before, ", "));
  if (!comparison.only_now.empty())
    text += format_printable("not in {}: {}\n", path, fmt::join(comparison.only_now, ", "));
  if (std::abs(comparison.machine_ratio - 1) > kSameMachine)
    text += fmt::format("the machine is not as it was: a product of two matrices has {:.2f} times the speed\n",
                        comparison.machine_ratio);
  const int slower = comparison.slower();
  text +=
      fmt::format("{}: slower is an interval wholly below the earlier one and a median more than {:g} % lower\n",
                  slower == 0 ? std::string("no part is slower") : plural(slower, "part is slower", "parts are slower"),
                  100 * tolerance);
  return text;
}

}  // namespace resflow
