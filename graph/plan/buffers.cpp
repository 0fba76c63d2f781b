#include "graph/plan/buffers.h"

#include <algorithm>

namespace resflow {

BufferId BufferTable::add(size_t bytes) {
  entries_.push_back({.bytes = bytes});
  return static_cast<BufferId>(entries_.size()) - 1;
}

BufferId BufferTable::add_scratch(size_t bytes) {
  entries_.push_back({.bytes = bytes, .scratch = true});
  return static_cast<BufferId>(entries_.size()) - 1;
}

void BufferTable::use(BufferId buffer, int step) {
  if (buffer != kNoBuffer) entries_[static_cast<size_t>(root(buffer))].uses.push_back(step);
}

int BufferTable::first_use(BufferId buffer) const {
  const auto& uses = entries_[static_cast<size_t>(root(buffer))].uses;
  return *std::min_element(uses.begin(), uses.end());
}

int BufferTable::last_use(BufferId buffer) const {
  const auto& uses = entries_[static_cast<size_t>(root(buffer))].uses;
  return *std::max_element(uses.begin(), uses.end());
}

std::vector<BufferId> BufferTable::live_after(int step) const {
  std::vector<BufferId> live;
  for (size_t i = 0; i < entries_.size(); ++i) {
    const auto id = static_cast<BufferId>(i);
    if (entries_[i].scratch || entries_[i].uses.empty()) continue;
    if (first_use(id) <= step && last_use(id) > step) live.push_back(id);
  }
  return live;
}

void BufferTable::merge(BufferId buffer, BufferId other) {
  const BufferId kept = root(buffer), gone = root(other);
  if (kept == gone) return;
  Entry& to = entries_[static_cast<size_t>(kept)];
  Entry& from = entries_[static_cast<size_t>(gone)];
  to.bytes = std::max(to.bytes, from.bytes);
  to.uses.insert(to.uses.end(), from.uses.begin(), from.uses.end());
  from.uses.clear();
  from.same_as = kept;
}

void BufferTable::place() {
  std::vector<BufferNeed> needs(entries_.size());  // merged ones stay empty and take no room
  for (size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries_[i];
    if (entry.same_as != kNoBuffer || entry.uses.empty()) continue;
    needs[i].bytes = entry.bytes;
    const auto id = static_cast<BufferId>(i);
    if (entry.scratch) {
      for (const int step : entry.uses) needs[i].live.push_back({step, step});
    } else {
      needs[i].live.push_back({first_use(id), last_use(id)});
    }
  }
  placement_ = resflow::place(needs);
}

size_t BufferTable::offset_of(BufferId buffer) const { return placement_.offsets[static_cast<size_t>(root(buffer))]; }

size_t BufferTable::bytes_of(BufferId buffer) const { return entries_[static_cast<size_t>(root(buffer))].bytes; }

BufferId BufferTable::root(BufferId buffer) const {
  while (entries_[static_cast<size_t>(buffer)].same_as != kNoBuffer)
    buffer = entries_[static_cast<size_t>(buffer)].same_as;
  return buffer;
}

}  // namespace resflow
