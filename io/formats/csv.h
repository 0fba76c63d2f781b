// The fields of tables that every spreadsheet reads: RFC 4180's quoting. Rows end with one line feed.
#pragma once

#include <string>
#include <string_view>

namespace resflow {

// The field as it stands in a row: in quotes where it holds a comma, a quote or a line break. An empty field is
// an empty text, so that a table of one column could not tell a row with such a field from no row.
std::string csv_field(std::string_view field);

}  // namespace resflow
