// Bytes as text, RFC 4648 (libcrypto).
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <string_view>

namespace resflow {

std::string base64(std::string_view bytes);
// Throws Error{kData} for what base64() does not give.
std::string from_base64(std::string_view text);

// A JSON string holds UTF-8, a file name any bytes: those of another kind become {"base64": ...}.
nlohmann::ordered_json json_of_bytes(std::string_view bytes);
// Throws Error{kData} for what json_of_bytes() does not give.
std::string bytes_of_json(const nlohmann::ordered_json& value);

}  // namespace resflow
