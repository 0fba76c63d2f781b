#include "io/pictures/selection.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fnmatch.h>

#include <algorithm>
#include <array>
#include <span>

#include "io/core/error.h"
#include "io/core/text.h"
#include "io/core/wording.h"
#include "io/files/file.h"
#include "io/images/image_format.h"

namespace resflow {
namespace {

std::string_view name_of(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

// As many of the path's last names as the pattern has.
std::string_view last_names(std::string_view path, ptrdiff_t slashes) {
  size_t at = path.size();
  for (ptrdiff_t i = 0; i <= slashes; ++i) {
    if (at == 0) return {};
    at = path.rfind('/', at - 1);
    if (at == std::string_view::npos) return i == slashes ? path : std::string_view();
  }
  return path.substr(at + 1);
}

bool matches(std::string pattern, const std::string& path, bool folder) {
  if (pattern.size() > 1 && pattern.ends_with('/')) {
    if (!folder) return false;
    pattern.pop_back();
  }
  if (pattern.starts_with('/')) return ::fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME) == 0;
  const std::string end(last_names(path, std::count(pattern.begin(), pattern.end(), '/')));
  return !end.empty() && ::fnmatch(pattern.c_str(), end.c_str(), FNM_PATHNAME) == 0;
}

// "JPEG" where the file begins as a picture that can be read; else "".
std::string_view begins_as(const std::string& path) {
  std::array<uint8_t, 512> bytes{};
  try {
    const InputFile file(path);
    const auto beginning = std::span(bytes).first(std::min(bytes.size(), static_cast<size_t>(file.size())));
    file.read(0, beginning);
    const ImageFormat* format = image_format(beginning);
    return format == nullptr || format->make_reader == nullptr ? std::string_view() : format->name;
  } catch (const Error&) {  // it is left out, and no fault of it matters
    return {};
  }
}

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

}  // namespace

void check(const Selection& selection) {
  for (const std::string& pattern : selection.exclude)
    if (pattern.empty() || pattern == "/")
      throw usage_error("{} '{}': wanted the name of a file or folder, or a pattern like '*.tmp'", setting("exclude"),
                        pattern);
  for (const std::string& ending : selection.extensions)
    if (!ending.starts_with('.') || ending.find('/') != std::string::npos ||
        (ending.size() > 1 && ending.find_last_of('.') != 0))
      throw usage_error(
          "{} '{}': wanted the end of a name with its dot, like .jfif; a dot alone stands for names "
          "without an ending",
          setting("extensions"), ending);
}

std::optional<size_t> excluding_pattern(const Selection& selection, const std::string& path, bool folder) {
  for (size_t i = 0; i < selection.exclude.size(); ++i)
    if (matches(selection.exclude[i], path, folder)) return i;
  return std::nullopt;
}

std::optional<size_t> excluding_pattern_within(const Selection& selection, const std::string& root,
                                               const std::string& name) {
  if (selection.exclude.empty()) return std::nullopt;
  for (size_t end = name.find('/'); end != std::string::npos; end = name.find('/', end + 1))
    if (const auto pattern = excluding_pattern(selection, root + '/' + name.substr(0, end), true)) return pattern;
  return excluding_pattern(selection, root + '/' + name, false);
}

bool is_picture_name(const Selection& selection, std::string_view path) {
  if (has_image_extension(path)) return true;
  if (selection.extensions.empty()) return false;
  const std::string ending = lower_ending(path);
  const bool hidden = name_of(path).starts_with('.');
  return std::any_of(selection.extensions.begin(), selection.extensions.end(), [&](const std::string& wanted) {
    return wanted == "." ? ending.empty() && !hidden : ending == lower_ending("x" + wanted);
  });
}

std::string lower_ending(std::string_view path) {
  const std::string_view name = name_of(path);
  const size_t dot = name.rfind('.');
  std::string ending(dot == std::string_view::npos || dot == 0 ? std::string_view() : name.substr(dot));
  std::transform(ending.begin(), ending.end(), ending.begin(), lower);
  return ending;
}

void PassedOver::add_file(const std::string& path) {
  const std::string ending = lower_ending(path);
  if (ending.empty() && name_of(path).starts_with('.')) {
    ++hidden;
    return;
  }
  if (endings.size() >= kMostEndings && !endings.contains(ending)) {
    ++other_endings;
    return;
  }
  Ending& all = endings[ending];
  if (all.files++ == 0) all.first = path;
}

void PassedOver::add(const PassedOver& other) {
  for (const auto& [ending, files] : other.endings) {
    if (endings.size() >= kMostEndings && !endings.contains(ending)) {
      other_endings += files.files;
      continue;
    }
    Ending& all = endings[ending];
    if (all.files == 0) all.first = files.first;
    all.files += files.files;
  }
  other_endings += other.other_endings;
  hidden += other.hidden;
  patterns.insert(other.patterns.begin(), other.patterns.end());
}

std::string left_out_sentence(const PassedOver& left_out) {
  constexpr size_t kNamed = 5;
  std::vector<std::pair<std::string, PassedOver::Ending>> all(left_out.endings.begin(), left_out.endings.end());
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.second.files > b.second.files; });
  int64_t files = left_out.other_endings;
  for (const auto& [ending, of_it] : all) files += of_it.files;
  if (files == 0) return {};
  std::vector<std::string> counts, begin, options;
  for (size_t i = 0; i < all.size(); ++i) {
    const auto& [ending, of_it] = all[i];
    const std::string name = ending.empty() ? "without an ending" : printable(ending);
    if (i < kNamed) counts.push_back(fmt::format("{} {}", name, format_count(of_it.files)));
    const std::string_view format = begins_as(of_it.first);
    if (format.empty()) continue;
    begin.push_back(all.size() == 1 ? fmt::format("they begin as {}", format)
                                    : fmt::format("{} begin as {}", ending.empty() ? "those " + name : name, format));
    options.push_back(ending.empty() ? "." : printable(ending));
  }
  if (all.size() > kNamed) counts.emplace_back("and others");
  std::string sentence = fmt::format("{} left out by {} ending: {}", plural(files, "file", "files"),
                                     files == 1 ? "its" : "their", fmt::join(counts, ", "));
  if (!begin.empty())
    sentence +=
        fmt::format("; {}: {} {} takes them", fmt::join(begin, ", "), setting("extensions"), fmt::join(options, ","));
  return sentence;
}

std::vector<std::string> idle_patterns(const Selection& selection, const std::set<size_t>& used) {
  std::vector<std::string> idle;
  for (size_t i = 0; i < selection.exclude.size(); ++i)
    if (!used.contains(i)) idle.push_back(selection.exclude[i]);
  return idle;
}

bool is_stray_folder(std::string_view name) {
  constexpr std::array<std::string_view, 9> kNames = {"__MACOSX",     "@eaDir",
                                                      "lost+found",   "#recycle",
                                                      "@Recycle",     "@Recently-Snapshot",
                                                      "$RECYCLE.BIN", "System Volume Information",
                                                      "__pycache__"};
  return name.starts_with('.') || std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

bool is_apple_double_name(std::string_view path) { return name_of(path).starts_with("._"); }

}  // namespace resflow
