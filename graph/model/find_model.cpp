#include "graph/model/find_model.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <unordered_map>
#include <utility>

#include "graph/model/tensor_names.h"

namespace resflow {
namespace {

// A group's tensors by their names without wrappers.
class Names {
 public:
  explicit Names(const TensorGroup& group) : group_(group) {
    for (size_t i = 0; i < group.tensors.size(); ++i) {
      names_.push_back(without_wrappers(group.tensors[i].name));
      at_.emplace(names_.back(), i);
    }
    // Where wrappers are all that tells two tensors apart, names stay as they are.
    if (at_.size() == names_.size()) return;
    at_.clear();
    for (size_t i = 0; i < group.tensors.size(); ++i) {
      names_[i] = group.tensors[i].name;
      at_.emplace(names_[i], i);
    }
  }

  size_t size() const { return names_.size(); }
  const std::string& operator[](size_t i) const { return names_[i]; }
  std::optional<size_t> find(const std::string& name) const {
    const auto found = at_.find(name);
    return found == at_.end() ? std::nullopt : std::optional(found->second);
  }
  const TensorEntry& tensor(size_t i) const { return group_.tensors[i]; }

 private:
  const TensorGroup& group_;
  std::vector<std::string> names_;
  std::unordered_map<std::string, size_t> at_;
};

// How many numbers the last layer takes: as many as the last stage has channels, which no stage before it has.
int64_t features_of(const std::vector<std::string>& model_names, const Names& names) {
  int64_t features = 0;
  for (size_t i = 0; i < names.size(); ++i) {
    if (model_names[i].starts_with("layer") && names.tensor(i).dims.size() == 1)
      features = std::max(features, names.tensor(i).dims[0]);
  }
  return features;
}

// Names the head, where one stands behind the prefix or beside it under a name of another library.
void name_head(const Names& names, const std::string& prefix, std::vector<std::string>& model_names) {
  std::vector<std::string> scopes = {prefix};
  if (!prefix.empty()) {
    const size_t dot = prefix.rfind('.', prefix.size() - 2);
    scopes.push_back(dot == std::string::npos ? std::string() : prefix.substr(0, dot + 1));
  }
  const int64_t features = features_of(model_names, names);
  for (const std::string& scope : scopes) {
    for (const std::string_view head : head_names()) {
      const auto weight = names.find(fmt::format("{}{}.weight", scope, head));
      const auto bias = names.find(fmt::format("{}{}.bias", scope, head));
      if (!weight || !bias) continue;
      const Dims& dims = names.tensor(*weight).dims;
      if (dims.size() != 2 || dims[1] != features || names.tensor(*bias).dims != Dims{dims[0]}) continue;
      model_names[*weight] = "fc.weight";
      model_names[*bias] = "fc.bias";
      return;
    }
  }
}

// What stands behind `prefix` in the group, named by the scheme and compared with a model. `in_file` is the prefix as
// the file has it, with wrappers.
FoundModel look_behind(const TensorGroup& group, const Names& names, const NameScheme& scheme,
                       const std::string& prefix, std::string in_file, std::string_view architecture) {
  std::vector<std::string> model_names(names.size());  // empty: not of the model
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i].starts_with(prefix)) model_names[i] = scheme.to_torchvision(names[i].substr(prefix.size()));
  }
  if (std::find(model_names.begin(), model_names.end(), "fc.weight") == model_names.end())
    name_head(names, prefix, model_names);

  FoundModel found;
  found.key = group.key;
  found.prefix = std::move(in_file);
  for (size_t i = 0; i < names.size(); ++i) {
    const TensorEntry& tensor = group.tensors[i];
    if (model_names[i].empty())
      found.left_out.push_back(tensor.name);
    else
      found.taken.push_back({tensor.name, {model_names[i], tensor.dtype, tensor.dims}});
  }
  const std::vector<TensorEntry> tensors = found.tensors();
  found.match = architecture.empty() ? recognise_model(tensors) : match_model(architecture, tensors);
  found.headless = found.match.fit.lacks_head_alone();
  return found;
}

// The prefix behind which most names are those of a part of a ResNet, and of several such the shortest; nothing where
// none is.
std::optional<std::string> likeliest_prefix(const Names& names, const NameScheme& scheme) {
  std::map<std::string, size_t> votes;
  for (size_t i = 0; i < names.size(); ++i) {
    const std::string& name = names[i];
    for (size_t at = 0; at != std::string::npos && at < name.size();) {
      if (!scheme.to_torchvision(std::string_view(name).substr(at)).empty()) ++votes[name.substr(0, at)];
      const size_t dot = name.find('.', at);
      at = dot == std::string::npos ? dot : dot + 1;
    }
  }
  const auto best = std::max_element(votes.begin(), votes.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second < b.second : a.first.size() > b.first.size();
  });
  return best == votes.end() ? std::nullopt : std::optional(best->first);
}

size_t rank(const std::string& key) {
  static constexpr std::array<std::string_view, 5> kFirst = {"state_dict", "model", "model_state_dict", "net", ""};
  return static_cast<size_t>(std::find(kFirst.begin(), kFirst.end(), key) - kFirst.begin());
}

}  // namespace

std::vector<TensorEntry> FoundModel::tensors() const {
  std::vector<TensorEntry> entries;
  entries.reserve(taken.size());
  for (const Taken& tensor : taken) entries.push_back(tensor.entry);
  return entries;
}

std::vector<FoundModel> find_models(std::span<const TensorGroup> groups, std::string_view architecture) {
  std::vector<FoundModel> found;
  for (const TensorGroup& group : groups) {
    const Names names(group);
    for (size_t i = 0; i < names.size(); ++i) {
      for (const NameScheme& scheme : name_schemes()) {
        if (!names[i].ends_with(scheme.first)) continue;
        const std::string prefix = names[i].substr(0, names[i].size() - scheme.first.size());
        if (!prefix.empty() && !prefix.ends_with('.')) continue;
        if (!names.find(prefix + std::string(scheme.second))) continue;
        const std::string& name = group.tensors[i].name;
        FoundModel model = look_behind(
            group, names, scheme, prefix,
            name.ends_with(scheme.first) ? name.substr(0, name.size() - scheme.first.size()) : prefix, architecture);
        if (model.match.fit.fits() || model.headless) found.push_back(std::move(model));
      }
    }
  }
  std::stable_sort(found.begin(), found.end(), [](const FoundModel& a, const FoundModel& b) {
    return std::pair(a.headless, rank(a.key)) < std::pair(b.headless, rank(b.key));
  });
  return found;
}

std::optional<FoundModel> nearest_model(std::span<const TensorGroup> groups, std::string_view architecture) {
  std::optional<FoundModel> nearest;
  for (const TensorGroup& group : groups) {
    const Names names(group);
    for (const NameScheme& scheme : name_schemes()) {
      const std::optional<std::string> prefix = likeliest_prefix(names, scheme);
      if (!prefix) continue;
      FoundModel model = look_behind(group, names, scheme, *prefix, *prefix, architecture);
      const bool is_resnet = model.match.fit.there > 0 || !model.match.fit.misshapen.empty();
      if (is_resnet && (!nearest || is_nearer(model.match.fit, nearest->match.fit))) nearest = std::move(model);
    }
  }
  return nearest;
}

}  // namespace resflow
