#include "io/core/setting.h"

namespace resflow {
namespace {

constexpr char kMark = '\x1E';

}  // namespace

std::string setting(std::string_view name) { return kMark + std::string(name) + kMark; }

std::string without_marks(std::string_view sentence) {
  std::string plain(sentence);
  std::erase(plain, kMark);
  return plain;
}

std::string with_names(std::string_view sentence, const std::function<std::string(std::string_view)>& name_of) {
  std::string named;
  for (size_t at = 0; at < sentence.size();) {
    const size_t mark = sentence.find(kMark, at);
    const size_t end = mark == std::string_view::npos ? mark : sentence.find(kMark, mark + 1);
    if (end == std::string_view::npos) return named + without_marks(sentence.substr(at));
    named += sentence.substr(at, mark - at);
    named += name_of(sentence.substr(mark + 1, end - mark - 1));
    at = end + 1;
  }
  return named;
}

}  // namespace resflow
