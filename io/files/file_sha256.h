// The SHA-256 of a file, in hexadecimal digits.
#pragma once

#include <string>

namespace resflow {

// Shows on standard error how far it is where it takes longer than two seconds. Throws as InputFile does.
std::string file_sha256(const std::string& path);

}  // namespace resflow
