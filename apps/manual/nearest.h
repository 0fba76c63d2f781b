// The word that somebody meant who mistyped it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace resflow {

// How many letters are put in, left out, replaced or exchanged with their neighbour from `a` to `b` (the restricted
// Damerau-Levenshtein distance).
size_t edit_distance(std::string_view a, std::string_view b);

// The nearest of `words` to `mistyped`, the first of several; empty where none is near: within a third of its letters,
// or begun with it.
std::string nearest(std::string_view mistyped, const std::vector<std::string>& words);

}  // namespace resflow
