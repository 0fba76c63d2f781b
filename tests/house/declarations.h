// What a C++ source of this project's style declares at namespace level: enough of a parser for the tests of names.
#pragma once

#include <algorithm>
#include <cctype>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

namespace resflow::testing {

// `source` without comments and directives; each literal is a pair of quotes.
inline std::string without_texts(const std::string& source) {
  std::string text;
  bool line_begins = true;  // nothing but white space stands before in this line
  for (size_t at = 0; at < source.size();) {
    const auto starts = [&](std::string_view with) { return source.compare(at, with.size(), with) == 0; };
    // Past the end of `with`, which is looked for from `from` on.
    const auto past = [&](std::string_view with, size_t from) {
      const size_t found = source.find(with, from);
      return found == std::string::npos ? source.size() : found + with.size();
    };
    const char c = source[at];
    const char before = at == 0 ? ' ' : source[at - 1];
    if (starts("//")) {
      at = past("\n", at) - 1;  // at the end of a file without a last line feed one slash is left
    } else if (starts("/*")) {
      at = past("*/", at + 2);
    } else if (c == '#' && line_begins) {
      do at = past("\n", at);
      while (at < source.size() && at >= 2 && source[at - 2] == '\\');
      --at;
    } else if (starts("R\"") && std::isalnum(static_cast<unsigned char>(before)) == 0) {
      const size_t open = source.find('(', at);
      at = past(")" + source.substr(at + 2, open - at - 2) + "\"", open);
      text += "\"\"";
    } else if (c == '"' ||
               (c == '\'' && std::isxdigit(static_cast<unsigned char>(before)) == 0)) {  // 1'000 is a number
      for (++at; at < source.size() && source[at] != c; ++at) at += source[at] == '\\' ? 1 : 0;
      ++at;
      text += "\"\"";
    } else {
      line_begins = c == '\n' || (line_begins && std::isspace(static_cast<unsigned char>(c)) != 0);
      text += c;
      ++at;
      continue;
    }
    line_begins = false;
  }
  return text;
}

inline std::vector<std::string> tokens_of(const std::string& source) {
  static const std::regex kToken(R"([A-Za-z_]\w*|[0-9][\w.']*|""|::|\[\[|\]\]|<=>|[=!<>]=|\S)");
  const std::string text = without_texts(source);
  return {std::sregex_token_iterator(text.begin(), text.end(), kToken), std::sregex_token_iterator()};
}

// A declaration at namespace level: what stands before its first block or its end.
struct Declaration {
  std::string scope;  // "resflow::", with "(unnamed)::" for an unnamed namespace
  std::vector<std::string> head;
  bool has_block = false;
};

class DeclarationReader {
 public:
  explicit DeclarationReader(const std::string& source) : tokens_(tokens_of(source)) {}

  std::vector<Declaration> read() {
    read_scope("");
    return std::move(found_);
  }

 private:
  const std::string& token() const { return tokens_[at_]; }
  bool ended() const { return at_ >= tokens_.size(); }

  // Up to the brace that closes the namespace.
  void read_scope(const std::string& scope) {
    while (!ended() && token() != "}") read_declaration(scope);
    ++at_;
  }

  void skip_block() {
    int depth = 0;
    do {
      depth += token() == "{" ? 1 : token() == "}" ? -1 : 0;
      ++at_;
    } while (!ended() && depth > 0);
  }

  void read_declaration(const std::string& scope) {
    Declaration made{.scope = scope, .head = {}, .has_block = false};
    std::vector<std::string>& head = made.head;
    int depth = 0;
    bool assigned = false;
    for (; !ended(); ++at_) {
      depth += token() == "(" ? 1 : token() == ")" ? -1 : 0;
      if (depth == 0 && (token() == ";" || token() == "{" || token() == "}")) break;
      assigned = assigned || (depth == 0 && token() == "=" && !head.empty() && head.back() != "operator");
      head.push_back(token());
    }
    if (ended() || token() == "}") return;
    if (token() == ";") {
      ++at_;
      if (!head.empty()) found_.push_back(std::move(made));
      return;
    }
    const size_t name = !head.empty() && head[0] == "inline" ? 1 : 0;
    if (head.size() > name && head[name] == "namespace") {
      ++at_;
      std::string inner;
      for (size_t i = name + 1; i < head.size(); ++i) inner += head[i];
      return read_scope(scope + (inner.empty() ? "(unnamed)" : inner) + "::");
    }
    if (head.size() == 2 && head[0] == "extern") {  // extern "C" {
      ++at_;
      return read_scope(scope);
    }
    made.has_block = true;
    const bool to_semicolon = assigned || !type_name(made).empty();
    found_.push_back(std::move(made));
    skip_block();
    // Behind `a_{1}` of a constructor's list come a comma or the body.
    while (!ended() && !to_semicolon && (token() == "," || token() == "{")) {
      while (!ended() && token() != "{") ++at_;
      if (!ended()) skip_block();
    }
    while (!ended() && to_semicolon && token() != ";") token() == "{" ? skip_block() : void(++at_);
    if (!ended() && token() == ";") ++at_;
  }

 public:
  // The head without what stands before the type: template <...>, typedef. `specialized` where it was template <>.
  static std::vector<std::string> core(std::vector<std::string> head, bool& specialized) {
    specialized = false;
    while (!head.empty() && head[0] == "template") {
      int depth = 0;
      size_t end = 1;
      for (; end < head.size(); ++end) {
        depth += head[end] == "<" ? 1 : head[end] == ">" ? -1 : 0;
        if (depth == 0) break;
      }
      specialized = specialized || end == 2;
      head.erase(head.begin(), head.begin() + static_cast<std::ptrdiff_t>(std::min(end + 1, head.size())));
    }
    return head;
  }

  // The name of the type or alias that is defined; empty where none is.
  static std::string type_name(const Declaration& declaration) {
    bool specialized = false;
    const std::vector<std::string> head = core(declaration.head, specialized);
    if (head.size() < 2 || specialized) return {};
    if (head[0] == "using") return head.size() > 2 && head[2] == "=" ? head[1] : "";
    if (head[0] == "typedef") return head.back();
    static const std::set<std::string> kKeys = {"struct", "class", "union", "enum"};
    if (!kKeys.contains(head[0]) || !declaration.has_block) return {};
    size_t at = 1;
    if (kKeys.contains(head[at])) ++at;
    if (at + 1 < head.size() && head[at] == "alignas")
      while (at < head.size() && head[at++] != ")") {
      }
    while (at < head.size() && head[at] == "[[")
      while (at < head.size() && head[at++] != "]]") {
      }
    std::string name;
    for (; at < head.size() && (head[at] == "::" || std::isalpha(head[at][0]) != 0 || head[at][0] == '_'); ++at) {
      if (head[at] == "final") break;
      if (!name.empty() && head[at] != "::" && !name.ends_with("::")) return {};  // a function or variable of this type
      name += head[at];
    }
    const bool defines = at == head.size() || head[at] == ":" || head[at] == "final";
    return defines ? name : "";
  }

 private:
  std::vector<std::string> tokens_;
  size_t at_ = 0;
  std::vector<Declaration> found_;
};

// The types and aliases that are defined at namespace level: "resflow::Interval". Not among them are those in unnamed
// namespaces, specializations of templates, and what is only declared.
inline std::vector<std::string> types_defined(const std::string& source) {
  std::vector<std::string> names;
  for (const Declaration& declaration : DeclarationReader(source).read()) {
    const std::string name = DeclarationReader::type_name(declaration);
    if (!name.empty() && declaration.scope.find('(') == std::string::npos) names.push_back(declaration.scope + name);
  }
  return names;
}

// The beginnings of what stands outside of namespace resflow. Not among them are forward declarations and
// specializations of templates, which other libraries ask for (std::hash, fmt::formatter).
inline std::vector<std::string> declared_outside(const std::string& source) {
  constexpr size_t kShown = 6;  // tokens
  std::vector<std::string> found;
  for (const Declaration& declaration : DeclarationReader(source).read()) {
    if (declaration.scope.starts_with("resflow::")) continue;
    bool specialized = false;
    const std::vector<std::string> head = DeclarationReader::core(declaration.head, specialized);
    static const std::set<std::string> kKeys = {"struct", "class", "union", "enum"};
    const bool forward = !declaration.has_block && !head.empty() && kKeys.contains(head[0]) && head.size() <= 3;
    if (specialized || forward) continue;
    std::string text;
    for (size_t i = 0; i < std::min(kShown, head.size()); ++i) text += (i == 0 ? "" : " ") + head[i];
    found.push_back(text);
  }
  return found;
}

// Macros that the source defines and does not undefine again.
inline std::vector<std::string> macros_left(const std::string& source) {
  static const std::regex kDirective(R"(^\s*#\s*(define|undef)\s+(\w+))");
  std::vector<std::string> left;
  std::istringstream lines(source);
  std::smatch match;
  for (std::string line; std::getline(lines, line);) {
    if (!std::regex_search(line, match, kDirective)) continue;
    if (match[1] == "define")
      left.push_back(match[2]);
    else
      std::erase(left, match[2].str());
  }
  return left;
}

}  // namespace resflow::testing
