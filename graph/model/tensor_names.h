// The names that other libraries have for the tensors of torchvision's ResNets.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace resflow {

// `name` without the components that PyTorch's wrappers put in front of a module's own: "module.", "_orig_mod.", ...
std::string without_wrappers(std::string_view name);

// How a library calls the tensors of a ResNet.
struct NameScheme {
  // A model in a file has both, behind one prefix.
  std::string_view first, second;
  // torchvision's name for a tensor, or an empty one where it is none of a ResNet's.
  std::string (*to_torchvision)(std::string_view name);
};
std::span<const NameScheme> name_schemes();

// What a ResNet's last layer is called, with its prefix or beside it: "fc", "head.fc", ...
std::span<const std::string_view> head_names();

}  // namespace resflow
