#include "io/core/base64.h"

#include <openssl/evp.h>

#include <nlohmann/json.hpp>
#include <vector>

#include "io/core/error.h"
#include "io/core/text.h"
#include "io/core/utf8.h"

namespace resflow {
namespace {

const unsigned char* unsigned_bytes(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string base64(std::string_view bytes) {
  std::vector<unsigned char> text((bytes.size() + 2) / 3 * 4 + 1);
  const int n = EVP_EncodeBlock(text.data(), unsigned_bytes(bytes), static_cast<int>(bytes.size()));
  return {text.begin(), text.begin() + n};
}

std::string from_base64(std::string_view text) {
  std::vector<unsigned char> bytes(text.size() / 4 * 3 + 1);
  const int n = EVP_DecodeBlock(bytes.data(), unsigned_bytes(text), static_cast<int>(text.size()));
  if (n < 0) throw data_error("\"{}\" is no base64", printable(text));
  // What was padded counts as zeros.
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string found(bytes.begin(), bytes.begin() + n - static_cast<std::ptrdiff_t>(padding));
  if (base64(found) != text) throw data_error("\"{}\" is no base64", printable(text));
  return found;
}

nlohmann::ordered_json json_of_bytes(std::string_view bytes) {
  if (is_utf8(bytes)) return std::string(bytes);
  return {{"base64", base64(bytes)}};
}

std::string bytes_of_json(const nlohmann::ordered_json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_object() || !value.contains("base64") || !value["base64"].is_string())
    throw data_error("wanted a text, or one as base64");
  return from_base64(value["base64"].get<std::string>());
}

}  // namespace resflow
