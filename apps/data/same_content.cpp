#include "apps/data/same_content.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <system_error>
#include <unordered_map>

#include "io/core/error.h"
#include "io/files/file.h"
#include "io/files/sha256.h"
#include "pipeline/in_order.h"

namespace resflow {
namespace {

using Digest = std::optional<Sha256::Digest>;

// Samples that share their size with another.
std::vector<size_t> of_shared_size(const std::vector<Sample>& samples) {
  std::unordered_map<uintmax_t, std::vector<size_t>> of_size;
  for (size_t i = 0; i < samples.size(); ++i) {
    std::error_code unreadable;
    const uintmax_t size = std::filesystem::file_size(samples[i].path, unreadable);
    if (!unreadable && size > 0) of_size[size].push_back(i);
  }
  std::vector<size_t> found;
  for (const auto& [size, files] : of_size)
    if (files.size() > 1) found.insert(found.end(), files.begin(), files.end());
  std::sort(found.begin(), found.end());
  return found;
}

Digest digest_of(const std::string& path, std::vector<uint8_t>& buffer) {
  try {
    const auto bytes = read_file(path, buffer);
    Sha256 hash;
    hash.add(bytes.data(), bytes.size());
    return hash.digest();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kData) throw;
    return std::nullopt;
  }
}

}  // namespace

std::vector<std::vector<size_t>> groups_of_equal(const std::vector<Digest>& digests) {
  std::map<Sha256::Digest, std::vector<size_t>> of_digest;
  for (size_t i = 0; i < digests.size(); ++i)
    if (digests[i]) of_digest[*digests[i]].push_back(i);
  std::vector<std::vector<size_t>> groups;
  for (auto& [digest, files] : of_digest)
    if (files.size() > 1) groups.push_back(std::move(files));
  std::sort(groups.begin(), groups.end());
  return groups;
}

std::vector<std::vector<size_t>> find_same_content(const std::vector<Sample>& samples, int threads,
                                                   Listener& listener) {
  const std::vector<size_t> candidates = of_shared_size(samples);
  const auto total = static_cast<int64_t>(candidates.size());
  Progress progress(listener, {.label = "comparing", .unit = "files", .total = total});
  std::vector<Digest> digests(samples.size());
  for_each_in_order<std::vector<uint8_t>, Digest>(
      total, threads,
      [&](std::vector<uint8_t>& buffer, int64_t number) {
        return digest_of(samples[candidates[static_cast<size_t>(number)]].path, buffer);
      },
      [&](int64_t number, const Digest& digest) {
        digests[candidates[static_cast<size_t>(number)]] = digest;
        progress.update(number + 1);
        return !listener.stop();
      });
  return groups_of_equal(digests);
}

}  // namespace resflow
