// What the outputs of a network stand for: names by class index.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "io/core/listener.h"

namespace resflow {

// The 1000 classes of ImageNet-1K in the order of torchvision's weights, under torchvision's names.
std::span<const std::string_view> imagenet_classes();

// Other names that folders of these classes may have, each with the class: of ImageNet's 1000 the WordNet ids, by which
// its own folders are called. None where the classes are others. Of two classes of one name it is the first's.
std::map<std::string, std::string> other_class_names(std::span<const std::string> classes);

// `spec` is "imagenet" for those 1000 names, or a text file with a name a line, class 0 first. Windows line ends, a
// byte order mark and empty lines at the end are no part of it. Warns of a name that stands twice. Throws Error{kData}
// for a file that cannot be read, is no text, holds no name, or has an empty line between names.
std::vector<std::string> load_class_names(const std::string& spec, Listener& listener);

}  // namespace resflow
