// The style sheet that all pages share: light and dark by the reader's preference, readable on a phone.
#pragma once

#include <string>

namespace resflow {

std::string page_style();

}  // namespace resflow
