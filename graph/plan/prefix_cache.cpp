#include "graph/plan/prefix_cache.h"

namespace resflow {

PrefixCache::PrefixCache(const Model& model, Plan& plan, size_t max_bytes)
    : model_(model), plan_(plan), batch_bytes_(plan.prefix_bytes()), max_bytes_(max_bytes), version_(version()) {}

std::span<const float> PrefixCache::forward(const float* pixels, int64_t rows, std::span<const int64_t> samples) {
  if (batch_bytes_ == 0 || samples.empty()) return plan_.forward(pixels, rows);
  if (version() != version_) {
    kept_.clear();
    version_ = version();
  }
  std::vector<int64_t> key(samples.begin(), samples.end());
  if (const auto found = kept_.find(key); found != kept_.end()) return plan_.forward_from(found->second.get());
  if (bytes() + batch_bytes_ > max_bytes_) return plan_.forward(pixels, rows);
  auto prefix = std::make_unique_for_overwrite<std::byte[]>(batch_bytes_);
  const std::span<const float> output = plan_.forward_keeping(pixels, rows, prefix.get());
  kept_.emplace(std::move(key), std::move(prefix));
  return output;
}

uint64_t PrefixCache::version() const {
  uint64_t sum = 0;
  for (const auto& parameter : model_.parameters())
    if (parameter->frozen) sum += parameter->version;
  return sum;
}

}  // namespace resflow
