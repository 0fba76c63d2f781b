// A share of the pictures: shard I of N scores those whose name hashes to it, so that who scores what does not depend
// on the listing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace resflow {

struct Shard {
  int number = 1, of = 1;  // 1 <= number <= of

  // xxh3(name, seed 0) mod `of` is `number` - 1.
  bool has(std::string_view name) const;

  bool operator==(const Shard&) const = default;
};

// From "3/16". Throws Error{kUsage} for any other text.
Shard parse_shard(const std::string& text);

std::string to_string(const Shard& shard);  // "3/16"

}  // namespace resflow
