#include "apps/machine/memory.h"

#include <fmt/format.h>

#include <algorithm>

#include "io/core/setting.h"
#include "io/core/wording.h"

namespace resflow {
namespace {

std::string text_of_bytes(int64_t bytes) { return format_bytes(static_cast<double>(bytes)); }

}  // namespace

MemoryLimit memory_limit() {
  const MemoryInUse in_use = memory_in_use();
  const MemoryLimit all[] = {{.bytes = machine_memory(), .used = in_use.resident, .whose = "this machine"},
                             {.bytes = cgroup_memory_limit(), .used = in_use.resident, .whose = "this container"},
                             {.bytes = address_space_limit(), .used = in_use.mapped, .whose = "this process"}};
  return *std::min_element(std::begin(all), std::end(all),
                           [](const MemoryLimit& a, const MemoryLimit& b) { return a.left() < b.left(); });
}

PlannedMemory scoring_memory(int64_t parameters, int64_t activation_bytes) {
  const int64_t bytes = parameters * static_cast<int64_t>(sizeof(float));
  return {.fixed = bytes, .batch = activation_bytes, .shown = activation_bytes + 2 * bytes};
}

std::string memory_sentence(const PlannedMemory& planned, int batch, const MemoryLimit& limit) {
  const int64_t left = limit.left() - limit.left() / 10;
  if (limit.bytes == kNoMemoryLimit || planned.fixed + planned.batch <= left) return {};
  const double room = static_cast<double>(left - planned.fixed);
  const auto fits = static_cast<int64_t>(
      planned.batch > 0 ? room / static_cast<double>(planned.batch) * static_cast<double>(batch) : 0);
  std::string text = fmt::format("memory {} planned, {} may have {}", text_of_bytes(planned.shown), limit.whose,
                                 text_of_bytes(limit.bytes));
  // What is in use is said where the two numbers alone would not show what the matter is.
  if (planned.shown <= limit.bytes) text += fmt::format(", of which {} are in use", text_of_bytes(limit.used));
  if (room <= 0 || fits < 1) return text + ": it fits with no batch";
  return text + fmt::format(": {} {} would fit", setting("batch"), std::min<int64_t>(fits, batch - 1));
}

void warn_of_low_memory(const PlannedMemory& planned, int batch, Listener& listener) {
  if (const std::string sentence = memory_sentence(planned, batch, memory_limit()); !sentence.empty())
    listener.warn(sentence);
}

}  // namespace resflow
