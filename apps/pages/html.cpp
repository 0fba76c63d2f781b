#include "apps/pages/html.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "io/core/base64.h"
#include "io/core/bytes.h"
#include "io/core/utf8.h"

namespace resflow {
namespace {

// Characters of a text, one a piece; what is none becomes U+FFFD.
std::vector<std::string_view> characters(std::string_view text) {
  static constexpr std::string_view kReplacement = "\xEF\xBF\xBD", kSpace = " ";
  std::vector<std::string_view> all;
  while (!text.empty()) {
    const Character c = next_character(text);
    if (c.point == '\n' || c.point == '\r' || c.point == '\t')
      all.push_back(kSpace);
    else if (!c.valid || c.is_control())
      all.push_back(kReplacement);
    else
      all.push_back(c.bytes);
  }
  return all;
}

void append_escaped(std::string& out, std::string_view character) {
  if (character == "&")
    out += "&amp;";
  else if (character == "<")
    out += "&lt;";
  else if (character == ">")
    out += "&gt;";
  else if (character == "\"")
    out += "&quot;";
  else if (character == "'")
    out += "&#39;";
  else
    out += character;
}

}  // namespace

std::string html_escape(std::string_view text) {
  std::string out;
  for (const std::string_view c : characters(text)) append_escaped(out, c);
  return out;
}

std::string html_shorten(std::string_view text, size_t limit) {
  const std::vector<std::string_view> all = characters(text);
  std::string out;
  if (all.size() <= limit) {
    for (const std::string_view c : all) append_escaped(out, c);
    return out;
  }
  // The end tells more than the middle: it is a file's name, or the number of a class.
  const size_t kept = limit - 1, head = kept / 2, tail = kept - head;
  for (size_t i = 0; i < head; ++i) append_escaped(out, all[i]);
  out += "\xE2\x80\xA6";  // an ellipsis
  for (size_t i = all.size() - tail; i < all.size(); ++i) append_escaped(out, all[i]);
  return out;
}

std::string html_page(std::string_view title, std::string_view style, std::string_view body) {
  return fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light dark\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'; "
      "img-src "
      "data:\">\n<title>{}</title>\n<style>\n{}</style>\n</head>\n<body>\n<main>\n{}</main>\n</body>\n</html>\n",
      html_escape(title), style, body);
}

std::string html_section(std::string_view heading, std::string_view content) {
  if (content.empty()) return {};
  return fmt::format("<section><h2>{}</h2>\n{}</section>\n", heading, content);
}

std::string html_fact(std::string_view name, std::string_view value, std::string_view more) {
  return fmt::format("<div><dt>{}</dt><dd>{}{}</dd></div>", name, value,
                     more.empty() ? "" : fmt::format("<small>{}</small>", more));
}

std::string data_uri(std::string_view mime, std::span<const uint8_t> bytes) {
  std::string uri = "data:";
  uri += mime;
  uri += ";base64,";
  return uri + base64(text_of(bytes));
}

std::string html_name_values(const NameValues& values) {
  if (values.empty()) return {};
  std::string rows;
  for (const auto& [name, value] : values)
    rows += fmt::format("<tr><th>{}</th><td class=\"name\">{}</td></tr>", html_escape(name), html_escape(value));
  return fmt::format("<div class=\"scroll\"><table><tbody>{}</tbody></table></div>\n", rows);
}

}  // namespace resflow
