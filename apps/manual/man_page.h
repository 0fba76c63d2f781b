// Manual pages from what the commands declare of themselves, as --help is.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace resflow {

// The page of `command` in the language of man(7). `name` is what one types, like "resflow bench load"; the page is of
// that name with hyphens. `program` stands at its foot, like "resflow 1.0".
std::string man_page(const CLI::App& command, const std::string& name, const std::string& program);

}  // namespace resflow
