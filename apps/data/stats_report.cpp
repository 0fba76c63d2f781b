#include "apps/data/stats_report.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "io/core/setting.h"
#include "io/core/text.h"
#include "io/core/wording.h"

namespace resflow {
namespace {

constexpr size_t kMostClasses = 20;  // so many are all listed; of more classes only the largest and the smallest
constexpr size_t kMostFiles = 10;
constexpr size_t kPathLimit = 500;

template <class... Args>
void add(std::string& text, fmt::format_string<Args...> format, Args&&... args) {
  fmt::format_to(std::back_inserter(text), format, std::forward<Args>(args)...);
}

std::string pictures(int64_t n) { return plural(n, "picture", "pictures"); }

std::string path_of(const PartStats& part, size_t sample) {
  return printable(part.dataset.samples[sample].path, kPathLimit);
}

std::string path_of(const DataStats& stats, const SameContent::File& file) {
  return path_of(stats.parts[file.part], file.sample);
}

std::string percent(int64_t part, int64_t whole) {
  return fmt::format("{:.1f} %", 100.0 * static_cast<double>(part) / static_cast<double>(whole));
}

// "JPEG 955, PNG 5": the most frequent first.
std::string counts(const std::map<std::string, int64_t>& count_of) {
  std::vector<std::pair<std::string, int64_t>> all(count_of.begin(), count_of.end());
  std::stable_sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (const auto& [name, count] : all)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", name, format_count(count));
  return text;
}

int64_t largest_class(const PartStats& part) {
  return *std::max_element(part.pictures_of_class.begin(), part.pictures_of_class.end());
}
int64_t smallest_class(const PartStats& part) {
  return *std::min_element(part.pictures_of_class.begin(), part.pictures_of_class.end());
}
double imbalance(const PartStats& part) {
  return static_cast<double>(largest_class(part)) / static_cast<double>(smallest_class(part));
}

std::string class_list(const PartStats& part) {
  const auto& names = part.dataset.classes;
  std::vector<size_t> order(names.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  const auto listed = [&](size_t begin, size_t end) {
    std::string text;
    for (size_t i = begin; i < end; ++i)
      text += fmt::format("{}{} {}", i == begin ? "" : ", ", printable(names[order[i]]),
                          format_count(part.pictures_of_class[order[i]]));
    return text;
  };
  if (names.size() <= kMostClasses) return listed(0, names.size());
  constexpr size_t kEnd = 5;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return part.pictures_of_class[a] > part.pictures_of_class[b]; });
  return fmt::format("{}, ... {} more ..., {}", listed(0, kEnd),
                     format_count(static_cast<int64_t>(names.size() - 2 * kEnd)),
                     listed(names.size() - kEnd, names.size()));
}

std::string range_text(const SizeStats::Range& range) {
  if (range.min == range.max) return fmt::format("{}", range.min);
  return fmt::format("{} to {}, median {}", range.min, range.max, range.median);
}

void add_sizes(const PartStats& part, int crop, std::string& text) {
  const SizeStats& sizes = part.sizes;
  add(text, "  sizes    width {}; height {}\n", range_text(sizes.widths()), range_text(sizes.heights()));
  std::string common;
  for (const auto& [size, count] : sizes.most_common(3))
    common += fmt::format("{}{}x{} {}", common.empty() ? "" : ", ", size.first, size.second, percent(count, part.read));
  add(text, "           {}{}\n", sizes.count_of.size() > 3 ? "most often " : "", common);
  add(text, "           landscape {}, portrait {}, square {}", format_count(sizes.landscape()),
      format_count(sizes.portrait()), format_count(sizes.square()));
  if (const int64_t small = sizes.below(crop); small > 0)
    add(text, "; {} with a short side below {}", format_count(small), crop);
  add(text, "\n");
}

void add_part(const PartStats& part, int crop, bool scaled, std::string& text) {
  const auto total = static_cast<int64_t>(part.dataset.samples.size());
  add(text, "{:10} {} in {}, {}, {}\n", part.part.name, pictures(total),
      plural(part.dataset.classes.size(), "class", "classes"), format_bytes(static_cast<double>(part.bytes)),
      printable(part.part.root, kPathLimit));
  add(text, "  classes  {}\n", class_list(part));
  if (part.dataset.classes.size() > 1)
    add(text, "  balance  the largest class has {:.2f} times the pictures of the smallest\n", imbalance(part));
  if (part.truncated > 0) add(text, "  truncated  {}, taken as far as there are pixels\n", pictures(part.truncated));
  if (part.grey16 > 0)
    add(text, "  16-bit grey {}: {} of their pixels {}\n", format_count(part.grey16),
        percent(part.clipped_pixels, part.grey16_pixels),
        scaled ? "are above 255, and are kept: all are scaled to 8 bits"
               : "are clipped to white, as Pillow does; " + setting("grey16") + " scale keeps them");
  if (part.read > 0) add_sizes(part, crop, text);
  if (!part.formats.empty()) add(text, "  formats  {}\n", counts(part.formats));
  std::map<std::string, int64_t> jpeg = part.jpeg_sampling;
  if (part.jpeg_grey > 0) jpeg["grey"] = part.jpeg_grey;
  if (part.jpeg_cmyk > 0) jpeg["CMYK"] = part.jpeg_cmyk;
  if (!jpeg.empty()) add(text, "  JPEG     {}; progressive {}\n", counts(jpeg), format_count(part.jpeg_progressive));
}

// A heading, and under it the first kMostFiles of its lines.
void add_problem(const std::string& heading, const std::vector<std::string>& lines, std::string& text) {
  add(text, "  {}\n", heading);
  for (size_t i = 0; i < std::min(lines.size(), kMostFiles); ++i) add(text, "    {}\n", lines[i]);
  if (lines.size() > kMostFiles)
    add(text, "    and {} more: {} FILE has all\n", format_count(static_cast<int64_t>(lines.size() - kMostFiles)),
        setting("json"));
}

std::vector<std::string> same_lines(const DataStats& stats, const std::function<bool(const SameContent&)>& wanted) {
  std::vector<std::string> lines;
  for (const SameContent& same : stats.same) {
    if (!wanted(same)) continue;
    std::string line;
    for (size_t i = 0; i < std::min(same.files.size(), kMostFiles); ++i)
      line += (i > 0 ? " = " : "") + path_of(stats, same.files[i]);
    if (same.files.size() > kMostFiles) line += fmt::format(" = {} more", same.files.size() - kMostFiles);
    lines.push_back(line);
  }
  return lines;
}

bool add_same(const DataStats& stats, std::string& text) {
  int64_t copies = 0;
  for (const SameContent& same : stats.same) copies += static_cast<int64_t>(same.files.size()) - 1;
  if (copies == 0) return false;
  // Each group is listed once, under the worst that can be said of it.
  if (stats.leaked > 0)
    add_problem(fmt::format("leakage: {} of val or test {} in train, too, so what is measured there is too good",
                            pictures(stats.leaked), stats.leaked == 1 ? "is" : "are"),
                same_lines(stats, [](const SameContent& s) { return s.across_parts; }), text);
  const auto contradict = same_lines(stats, [](const SameContent& s) { return s.across_classes && !s.across_parts; });
  if (!contradict.empty())
    add_problem(fmt::format("the same content in different classes: {}", plural(contradict.size(), "group", "groups")),
                contradict, text);
  const auto others = same_lines(
      stats, [&](const SameContent& s) { return !s.across_classes && (!s.across_parts || stats.leaked == 0); });
  if (!others.empty())
    add_problem(fmt::format("the same content: {}", plural(others.size(), "group", "groups")), others, text);
  return true;
}

std::string joined(const std::vector<std::string>& names) {
  std::vector<std::string> shown;
  for (size_t i = 0; i < std::min(names.size(), kMostClasses); ++i) shown.push_back(printable(names[i]));
  if (names.size() > kMostClasses) shown.push_back(fmt::format("and {} more", names.size() - kMostClasses));
  return fmt::format("{}", fmt::join(shown, ", "));
}

std::vector<std::string> unreadable_classes(const PartStats& part) {
  std::vector<std::string> names;
  for (size_t i = 0; i < part.dataset.classes.size(); ++i)
    if (part.broken_of_class[i] == part.pictures_of_class[i]) names.push_back(part.dataset.classes[i]);
  return names;
}

bool add_class_problems(const DataStats& stats, std::string& text) {
  bool any = false;
  const auto say = [&](const std::string& what, const std::vector<std::string>& names) {
    if (names.empty()) return;
    any = true;
    add(text, "  {}: {}\n", what, joined(names));
  };
  for (const PartStats& part : stats.parts) {
    say(part.part.name + ": class folders without a picture", part.dataset.empty_classes);
    say(part.part.name + ": no picture of", part.missing_classes);
    say(part.part.name + ": no picture that can be read of", unreadable_classes(part));
    say(part.part.name + ": classes that train does not have", part.unknown_classes);
  }
  return any;
}

bool add_file_problems(const DataStats& stats, std::string& text) {
  std::vector<std::string> broken, misnamed;
  for (const PartStats& part : stats.parts) {
    for (const BrokenSample& b : part.broken)
      broken.push_back(path_of(part, b.sample) + ": " + printable(b.reason, kPathLimit));
    for (const auto& [sample, format] : part.misnamed)
      misnamed.push_back(fmt::format("{}: is {}", path_of(part, sample), with_article(*format)));
  }
  if (!broken.empty())
    add_problem(fmt::format("cannot be read: {}", plural(broken.size(), "file", "files")), broken, text);
  if (!misnamed.empty())
    add_problem(fmt::format("names that lie: {}", plural(misnamed.size(), "file", "files")), misnamed, text);
  bool ignored = false;
  for (const PartStats& part : stats.parts) {
    if (part.ignored.empty()) continue;
    ignored = true;
    std::map<std::string, int64_t> named;
    for (const auto& [extension, count] : part.ignored)
      named[extension.empty() ? "without an ending" : printable(extension)] += count;
    add(text, "  {}: files that are no pictures by name, and are left out: {}\n", part.part.name, counts(named));
    const std::string sentence = left_out_sentence(part.dataset.left_out);
    if (sentence.find(setting("extensions")) != std::string::npos) add(text, "    {}\n", sentence);
  }
  return ignored || !broken.empty() || !misnamed.empty();
}

nlohmann::ordered_json range_json(const SizeStats::Range& range) {
  return {{"min", range.min}, {"median", range.median}, {"max", range.max}};
}

nlohmann::ordered_json sizes_json(const SizeStats& sizes) {
  nlohmann::ordered_json json;
  if (sizes.count_of.empty()) return json;
  json["width"] = range_json(sizes.widths());
  json["height"] = range_json(sizes.heights());
  json["landscape"] = sizes.landscape();
  json["portrait"] = sizes.portrait();
  json["square"] = sizes.square();
  constexpr size_t kCommon = 20;
  json["most_common"] = nlohmann::ordered_json::array();
  for (const auto& [size, count] : sizes.most_common(kCommon))
    json["most_common"].push_back({{"width", size.first}, {"height", size.second}, {"pictures", count}});
  return json;
}

nlohmann::ordered_json part_json(const PartStats& part) {
  nlohmann::ordered_json json;
  json["root"] = part.part.root;
  json["pictures"] = part.dataset.samples.size();
  json["read"] = part.read;
  json["truncated"] = part.truncated;
  json["grey16"] = {{"pictures", part.grey16}, {"pixels", part.grey16_pixels}, {"clipped", part.clipped_pixels}};
  json["bytes"] = part.bytes;
  json["imbalance"] = imbalance(part);
  json["classes"] = nlohmann::ordered_json::array();
  for (size_t i = 0; i < part.dataset.classes.size(); ++i)
    json["classes"].push_back({{"name", part.dataset.classes[i]},
                               {"pictures", part.pictures_of_class[i]},
                               {"broken", part.broken_of_class[i]}});
  json["empty_classes"] = part.dataset.empty_classes;
  json["missing_classes"] = part.missing_classes;
  json["unknown_classes"] = part.unknown_classes;
  json["sizes"] = sizes_json(part.sizes);
  json["formats"] = nlohmann::ordered_json::object();
  for (const auto& [name, count] : part.formats) json["formats"][name] = count;
  json["jpeg"] = {{"progressive", part.jpeg_progressive}, {"grey", part.jpeg_grey}, {"cmyk", part.jpeg_cmyk}};
  json["jpeg"]["sampling"] = nlohmann::ordered_json::object();
  for (const auto& [name, count] : part.jpeg_sampling) json["jpeg"]["sampling"][name] = count;
  json["broken"] = nlohmann::ordered_json::array();
  for (const BrokenSample& b : part.broken)
    json["broken"].push_back({{"path", part.dataset.samples[b.sample].path}, {"reason", b.reason}});
  json["misnamed"] = nlohmann::ordered_json::array();
  for (const auto& [sample, format] : part.misnamed)
    json["misnamed"].push_back({{"path", part.dataset.samples[sample].path}, {"format", std::string(format->name)}});
  json["ignored"] = nlohmann::ordered_json::object();
  for (const auto& [extension, count] : part.ignored) json["ignored"][extension] = count;
  return json;
}

}  // namespace

std::string data_stats_text(const DataStats& stats, const DataStatsOptions& options) {
  std::string text;
  int64_t files = 0, bytes = 0;
  for (const PartStats& part : stats.parts) {
    add_part(part, options.crop, options.accept.scale_grey16, text);
    files += static_cast<int64_t>(part.dataset.samples.size());
    bytes += part.bytes;
  }
  const PartStats& train = stats.parts[0];
  if (train.read > 0) {
    const auto values = [](const std::array<double, 3>& v) {
      return fmt::format("{:.6f},{:.6f},{:.6f}", v[0], v[1], v[2]);
    };
    add(text, "mean       {}\n", values(train.pixels.mean()));
    add(text, "std        {}\n", values(train.pixels.std()));
    add(text, "           over all pixels of {} of train, each as torchvision's Resize({}), CenterCrop({}), ToTensor\n",
        pictures(train.read), options.resize, options.crop);
    add(text, "mean       {}\n", values(train.pictures.mean()));
    add(text, "std        {}\n", values(train.pictures.std()));
    add(text, "           the mean of each of these pictures' own mean and deviation, which some use\n");
  }
  add(text, "read       {}, {} in {:.1f} s, {:.1f} img/s\n\n", plural(files, "file", "files"),
      format_bytes(static_cast<double>(bytes)), stats.seconds,
      stats.seconds > 0 ? static_cast<double>(files) / stats.seconds : 0.0);

  add(text, "What to look at\n");
  const bool file_problems = add_file_problems(stats, text), same = add_same(stats, text),
             class_problems = add_class_problems(stats, text);
  if (!file_problems && !same && !class_problems)
    add(text,
        "  nothing: every file is whole and says what it is, none is there twice, no class is without pictures\n");
  return text;
}

nlohmann::ordered_json data_stats_json(const DataStats& stats, const DataStatsOptions& options) {
  nlohmann::ordered_json json;
  const PartStats& train = stats.parts[0];
  json["mean"] = json["std"] = nullptr;
  if (train.read > 0) {
    json["mean"] = train.pixels.mean();
    json["std"] = train.pixels.std();
    json["of_pictures"] = {{"mean", train.pictures.mean()}, {"std", train.pictures.std()}};
  }
  json["pixels"] = train.pixels.pixels();
  json["preprocessing"] = {{"resize", options.resize}, {"crop", options.crop}, {"interpolation", "bilinear"}};
  for (const PartStats& part : stats.parts) json["parts"][part.part.name] = part_json(part);
  json["same_content"] = nlohmann::ordered_json::array();
  for (const SameContent& same : stats.same) {
    nlohmann::ordered_json group;
    for (const SameContent::File& file : same.files)
      group["files"].push_back(stats.parts[file.part].dataset.samples[file.sample].path);
    group["across_parts"] = same.across_parts;
    group["across_classes"] = same.across_classes;
    json["same_content"].push_back(group);
  }
  json["leaked"] = stats.leaked;
  json["seconds"] = stats.seconds;
  return json;
}

}  // namespace resflow
