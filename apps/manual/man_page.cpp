#include "apps/manual/man_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <sstream>

#include "apps/manual/commands_of.h"

namespace resflow {
namespace {

// Text of a page: what man would take for an order is none, and hyphens stay hyphens.
std::string escaped(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool begins = i == 0 || text[i - 1] == '\n';
    if (begins && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  }
  return out;
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return text;
}

std::string page_name(std::string name) {
  std::ranges::replace(name, ' ', '-');
  return name;
}

// Paragraphs of running text: lines are joined, but for those that are indented, which stay as they are.
std::string paragraphs(const std::string& text) {
  std::string out;
  std::istringstream lines(text);
  bool verbatim = false;
  for (std::string line; std::getline(lines, line);) {
    const bool indented = line.starts_with(' ');
    if (indented != verbatim) out += indented ? ".nf\n" : ".fi\n";
    verbatim = indented;
    out += line.empty() ? ".PP\n" : escaped(line) + "\n";
  }
  return out + (verbatim ? ".fi\n" : "");
}

// "DATA", "--epochs INT [10]"
std::string heading(const CLI::Option& option) {
  const bool positional = option.get_lnames().empty() && option.get_snames().empty();
  std::string text = option.get_name(positional, !positional);
  if (!positional && option.get_items_expected_max() > 0 && !option.get_type_name().empty())
    text += " " + option.get_type_name();
  if (!option.get_default_str().empty()) text += " [" + option.get_default_str() + "]";
  return text;
}

std::string options_of(const CLI::App& command) {
  std::string out;
  for (const CLI::Option* option : command.get_options()) {
    if (option->get_group().empty()) continue;
    out += fmt::format(".TP\n.B {}\n{}", escaped(heading(*option)), paragraphs(option->get_description()));
  }
  return out;
}

// "resflow train [OPTIONS] DATA"
std::string synopsis(const CLI::App& command, const std::string& name) {
  std::string out = fmt::format(".B {}\n[OPTIONS]", escaped(name));
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_positional()) continue;
    const std::string words = option->get_name(true) + (option->get_items_expected_max() > 1 ? "..." : "");
    out += option->get_required() ? " " + words : " [" + words + "]";
  }
  if (!commands_of(command).empty()) out += command.get_require_subcommand_min() > 0 ? " COMMAND" : " [COMMAND]";
  return out + "\n";
}

// "resflow-train(1)", after a comma where it is not the first.
std::string reference(const std::string& page, bool first) {
  return fmt::format("{}.BR {} (1)", first ? "" : ",\n", escaped(page));
}

}  // namespace

std::string man_page(const CLI::App& command, const std::string& name, const std::string& program) {
  constexpr const char* kExample = "Example:\n";
  const std::string footer = command.get_footer();
  const size_t example = std::min(footer.find(kExample), footer.size());
  std::string out = fmt::format(".TH {} 1 \"\" \"{}\" \"User Commands\"\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n{}",
                                upper(page_name(name)), program, escaped(page_name(name)),
                                escaped(command.get_description()), synopsis(command, name));
  if (example > 0) out += ".SH DESCRIPTION\n" + paragraphs(footer.substr(0, example));
  if (!commands_of(command).empty()) {
    out += ".SH COMMANDS\n";
    for (const CLI::App* below : commands_of(command))
      out += fmt::format(".TP\n.B {}\n{}\n", escaped(below->get_name()), escaped(below->get_description()));
  }
  out += ".SH OPTIONS\n" + options_of(command);
  if (example < footer.size())
    out += ".SH EXAMPLES\n" + paragraphs(footer.substr(example + std::string(kExample).size()));
  out +=
      ".SH EXIT STATUS\n0 done; 2 wrong usage; 3 bad data; 4 a fault of the machine or of the program; 128 + n: ended "
      "by "
      "signal n.\n";
  std::string others;
  for (const CLI::App* below : commands_of(command))
    others += reference(page_name(name + " " + below->get_name()), others.empty());
  if (const size_t last = name.rfind(' '); last != std::string::npos)
    others += reference(page_name(name.substr(0, last)), others.empty());
  if (!others.empty()) out += ".SH SEE ALSO\n" + others + "\n";
  return out;
}

}  // namespace resflow
