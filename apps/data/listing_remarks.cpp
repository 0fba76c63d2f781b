#include "apps/data/listing_remarks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <vector>

#include "io/core/setting.h"
#include "io/core/text.h"
#include "io/core/wording.h"

namespace resflow {
namespace {

// As a shell takes it for one word, without a blank, at which lists in checkpoints are divided.
std::string as_pattern(const std::string& name) {
  std::string pattern = printable(name);
  std::replace(pattern.begin(), pattern.end(), ' ', '?');
  std::replace(pattern.begin(), pattern.end(), '\'', '?');
  const bool plain = std::all_of(pattern.begin(), pattern.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-' || c == '+' || c == '@';
  });
  return plain ? pattern : "'" + pattern + "'";
}

// "a", "a and b", "a, b and c"
std::string enumerated(const std::vector<std::string>& words) {
  if (words.size() == 1) return words.front();
  return fmt::format("{} and {}", fmt::join(words.begin(), words.end() - 1, ", "), words.back());
}

struct Strays {
  std::map<std::string, int64_t> classes;  // pictures of each
  std::map<std::string, int64_t> folders;  // the same, within classes, by name
  int64_t twins = 0;
};

Strays strays_of(const Dataset& dataset, const std::string& root) {
  Strays strays;
  for (const Sample& sample : dataset.samples) {
    const std::string name = path_below(root, sample.path);
    size_t begin = 0;
    bool found = false;
    for (size_t end = name.find('/'); end != std::string::npos && !found; end = name.find('/', begin)) {
      const std::string folder = name.substr(begin, end - begin);
      found = is_stray_folder(folder);
      if (found) ++(begin == 0 ? strays.classes : strays.folders)[folder];
      begin = end + 1;
    }
    if (!found && is_apple_double_name(name)) ++strays.twins;
  }
  return strays;
}

}  // namespace

void warn_of_strays(const Dataset& dataset, const std::string& root, Listener& listener) {
  const Strays strays = strays_of(dataset, root);
  std::vector<std::string> taken, patterns;
  const auto add = [&](const std::map<std::string, int64_t>& names) {
    std::vector<std::string> words;
    for (const auto& [name, pictures] : names) {
      words.push_back(fmt::format("{} ({})", printable(name), plural(pictures, "picture", "pictures")));
      const std::string pattern = fmt::format("{} {}", setting("exclude"), as_pattern(name));
      if (std::find(patterns.begin(), patterns.end(), pattern) == patterns.end()) patterns.push_back(pattern);
    }
    return words;
  };
  if (const auto words = add(strays.classes); !words.empty())
    taken.push_back(fmt::format("takes {} for {}", enumerated(words), words.size() == 1 ? "a class" : "classes"));
  if (const auto words = add(strays.folders); !words.empty())
    taken.push_back(fmt::format("takes what is in {} within its classes", enumerated(words)));
  if (strays.twins > 0) {
    taken.push_back(
        fmt::format("takes {} called ._*, which macOS puts beside others", plural(strays.twins, "file", "files")));
    patterns.push_back(fmt::format("{} '._*'", setting("exclude")));
  }
  if (!taken.empty())
    listener.warn(fmt::format("{}: {}, as torchvision does; to leave that out: {}", root, fmt::join(taken, ", and "),
                              fmt::join(patterns, " ")));
}

void remark_on_listing(const Dataset& dataset, const std::string& root, Listener& listener) {
  warn_of_strays(dataset, root, listener);
  say_passed_over(dataset.left_out, listener);
}

void say_passed_over(const PassedOver& left_out, Listener& listener) {
  if (const std::string sentence = left_out_sentence(left_out); !sentence.empty())
    listener.say("data       " + sentence);
}

void note_idle_patterns(const Selection& selection, const std::set<size_t>& used, Listener& listener) {
  for (const std::string& pattern : idle_patterns(selection, used))
    listener.note(fmt::format("{} {} matches nothing", setting("exclude"), as_pattern(pattern)));
}

}  // namespace resflow
