// How a sentence of the library names a setting, so that each program can name it as its own users do.
//
//   throw usage_error("{} is {}: wanted at least 1", setting("batch"), n);
//
// The library says "batch is 0: wanted at least 1", in the name of the member. The program `resflow` says "--batch is
// 0", in the name of its option, and a binding for another language can use its own.
#pragma once

#include <functional>
#include <string>
#include <string_view>

namespace resflow {

// `name` between two marks, which are control characters that no other text of a sentence holds.
std::string setting(std::string_view name);

// `sentence` without the marks: settings have the library's own names.
std::string without_marks(std::string_view sentence);

// `sentence` with each setting's name replaced by what `name_of` gives for it.
std::string with_names(std::string_view sentence, const std::function<std::string(std::string_view)>& name_of);

}  // namespace resflow
