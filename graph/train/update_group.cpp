#include "graph/train/update_group.h"

#include <cstddef>
#include <cstring>
#include <memory>

namespace resflow {

UpdateGroup::UpdateGroup(Model& model, TrainingState& state) : state_(state) {
  for (const std::unique_ptr<Parameter>& parameter : model.parameters()) {
    if (parameter->learnt) continue;
    Buffer buffer = {.parameter = parameter.get(), .value = {}};
    if (!parameter->is_count) buffer.value.resize(parameter->value.bytes());
    buffers_.push_back(std::move(buffer));
  }
  begin();
}

void UpdateGroup::begin() {
  before_ = state_;
  for (Buffer& buffer : buffers_) {
    buffer.count = buffer.parameter->count;
    if (!buffer.value.empty()) std::memcpy(buffer.value.data(), buffer.parameter->value.data(), buffer.value.size());
  }
}

void UpdateGroup::take_back() {
  state_ = before_;
  for (Buffer& buffer : buffers_) {
    buffer.parameter->count = buffer.count;
    if (!buffer.value.empty()) std::memcpy(buffer.parameter->value.data(), buffer.value.data(), buffer.value.size());
    ++buffer.parameter->version;
  }
}

}  // namespace resflow
