#include "apps/model/class_names.h"

#include <algorithm>
#include <unordered_map>

#include "io/core/bytes.h"
#include "io/core/error.h"
#include "io/core/utf8.h"
#include "io/core/wording.h"
#include "io/files/file.h"
#include "io/images/image_format.h"

namespace resflow {
namespace {

constexpr std::string_view kImagenetNames[] = {
#include "apps/model/imagenet_classes.inc"
};
static_assert(std::size(kImagenetNames) == 1000);

constexpr std::string_view kWordNetIds[] = {
#include "apps/model/imagenet_wordnet_ids.inc"
};
static_assert(std::size(kWordNetIds) == std::size(kImagenetNames));

constexpr int64_t kMaxBytes = 64 << 20;  // no list of names is longer, many other files are

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  while (!lines.empty() && lines.back().empty()) lines.pop_back();
  return lines;
}

void warn_of_twins(const std::vector<std::string>& names, const std::string& path, Listener& listener) {
  std::unordered_map<std::string_view, size_t> line_of;
  for (size_t i = 0; i < names.size(); ++i) {
    const auto [first, is_new] = line_of.emplace(names[i], i);
    if (!is_new)
      listener.warn(fmt::format("{}: lines {} and {} are both \"{}\": rows cannot tell these classes apart", path,
                                first->second + 1, i + 1, names[i]));
  }
}

}  // namespace

std::span<const std::string_view> imagenet_classes() { return kImagenetNames; }

std::map<std::string, std::string> other_class_names(std::span<const std::string> classes) {
  std::map<std::string, std::string> names;
  if (!std::equal(classes.begin(), classes.end(), std::begin(kImagenetNames), std::end(kImagenetNames))) return names;
  for (size_t i = 0; i < classes.size(); ++i) names.emplace(kWordNetIds[i], classes[i]);
  return names;
}

std::vector<std::string> load_class_names(const std::string& spec, Listener& listener) {
  if (spec == "imagenet") return {std::begin(kImagenetNames), std::end(kImagenetNames)};
  const int64_t size = InputFile(spec).size();
  if (size > kMaxBytes)
    throw data_error("{}: {} is no list of class names: wanted \"imagenet\" or a text file with a name a line", spec,
                     format_bytes(static_cast<double>(size)));
  std::vector<uint8_t> buffer;
  const auto bytes = read_file(spec, buffer);
  if (const ImageFormat* format = image_format(bytes))
    throw data_error("{}: is a {}: wanted \"imagenet\" or a text file with a name a line", spec, format->name);
  if (std::find(bytes.begin(), bytes.end(), uint8_t{0}) != bytes.end())
    throw data_error("{}: is no text: wanted \"imagenet\" or a text file with a name a line", spec);
  std::string_view text = text_of(bytes);
  text = without_byte_order_mark(text);
  std::vector<std::string> names = split_lines(text);
  if (names.empty()) throw data_error("{}: holds no class names: wanted a name a line", spec);
  if (const auto gap = std::find(names.begin(), names.end(), ""); gap != names.end())
    throw data_error("{}: line {} is empty, so it cannot be said which class the next name is of: wanted a name a line",
                     spec, gap - names.begin() + 1);
  warn_of_twins(names, spec, listener);
  return names;
}

}  // namespace resflow
