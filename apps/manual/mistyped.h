// What is wrong with a command line that could not be parsed.
#pragma once

#include <string>

namespace CLI {
class App;
class ParseError;
}  // namespace CLI

namespace resflow {

// One sentence that names the nearest option or command where one was mistyped, and the help to read. `app` has thrown
// `error`.
std::string parse_failure(const CLI::App& app, const CLI::ParseError& error);

}  // namespace resflow
