#include "apps/score/shard.h"

#include <charconv>
#include <system_error>

#include "io/core/error.h"
#include "io/core/text.h"
#include "io/files/xxh3.h"

namespace resflow {
namespace {

constexpr int kMostShards = 1'000'000;

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace

bool Shard::has(std::string_view name) const {
  return xxh3(name) % static_cast<uint64_t>(of) == static_cast<uint64_t>(number) - 1;
}

Shard parse_shard(const std::string& text) {
  const size_t slash = text.find('/');
  const std::optional<int> i = number(std::string_view(text).substr(0, slash));
  const std::optional<int> n =
      slash == std::string::npos ? std::nullopt : number(std::string_view(text).substr(slash + 1));
  if (!i || !n) throw usage_error("{} {}: wanted I/N, as in 3/16", setting("shard"), printable(text));
  if (*n < 1 || *n > kMostShards)
    throw usage_error("{} {}: wanted 1 to {} shards", setting("shard"), text, kMostShards);
  if (*i < 1 || *i > *n)
    throw usage_error("{} {}: shards count from 1: wanted 1/{} to {}/{}", setting("shard"), text, *n, *n, *n);
  return {.number = *i, .of = *n};
}

std::string to_string(const Shard& shard) { return fmt::format("{}/{}", shard.number, shard.of); }

}  // namespace resflow
