// What there is to say of how a folder of pictures was listed: folders that nobody made, files that were passed over.
#pragma once

#include <set>
#include <string>

#include "io/core/listener.h"
#include "io/pictures/dataset.h"

namespace resflow {

// Warns of folders that programs make (io/pictures/selection.h) and of macOS's twins of files, where their pictures are
// in the data set, with the patterns that leave them out; says which files were left out by their endings.
void remark_on_listing(const Dataset& dataset, const std::string& root, Listener& listener);

// The first half of it, and the second.
void warn_of_strays(const Dataset& dataset, const std::string& root, Listener& listener);
void say_passed_over(const PassedOver& left_out, Listener& listener);

// Notes the patterns that matched nothing. `used` are those that did, of all listings with this selection.
void note_idle_patterns(const Selection& selection, const std::set<size_t>& used, Listener& listener);

}  // namespace resflow
