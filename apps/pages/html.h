// Text for HTML and SVG.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace resflow {

// As it may stand between tags and in quoted attributes, whatever the text is: & < > " ' are escaped; bytes that are no
// UTF-8, and control characters, which HTML forbids, become U+FFFD; line breaks and tabs become spaces.
std::string html_escape(std::string_view text);

// The same for the middle of a long text, which is left out: "/data/very.../here.jpg", at most `limit` characters.
std::string html_shorten(std::string_view text, size_t limit);

// A page of its own around `body`, the inside of its <main>. It may load and run nothing beside its style and pictures
// of data: URIs. `title` is escaped here, `style` and `body` are HTML.
std::string html_page(std::string_view title, std::string_view style, std::string_view body);

// <section> with a heading; empty where `content` is.
std::string html_section(std::string_view heading, std::string_view content);

// One pair of a <dl class="facts">: a value under its name, and below it, where there is any, what more there is to
// say. All three are HTML.
std::string html_fact(std::string_view name, std::string_view value, std::string_view more = {});

// "data:MIME;base64,...": a file within a page.
std::string data_uri(std::string_view mime, std::span<const uint8_t> bytes);

using NameValues = std::vector<std::pair<std::string, std::string>>;

// A table of two columns.
std::string html_name_values(const NameValues& values);

}  // namespace resflow
