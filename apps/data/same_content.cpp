#include "apps/data/same_content.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <system_error>
#include <unordered_map>

#include "io/core/error.h"
#include "io/files/file.h"
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

std::vector<std::vector<size_t>> group_same(const std::vector<FileDigest>& files) {
  std::map<Sha256::Digest, std::vector<size_t>> of_digest;
  for (const auto& [digest, file] : files) of_digest[digest].push_back(file);
  std::vector<std::vector<size_t>> groups;
  for (auto& [digest, group] : of_digest) {
    if (group.size() < 2) continue;
    std::sort(group.begin(), group.end());
    groups.push_back(std::move(group));
  }
  std::sort(groups.begin(), groups.end());
  return groups;
}

std::vector<std::vector<size_t>> find_same_content(const std::vector<Sample>& samples, int threads,
                                                   Listener& listener) {
  const std::vector<size_t> candidates = of_shared_size(samples);
  const auto total = static_cast<int64_t>(candidates.size());
  Progress progress(listener, {.label = "comparing", .unit = "files", .total = total});
  std::vector<FileDigest> digests;
  for_each_in_order<std::vector<uint8_t>, Digest>(
      total, threads,
      [&](std::vector<uint8_t>& buffer, int64_t number) {
        return digest_of(samples[candidates[static_cast<size_t>(number)]].path, buffer);
      },
      [&](int64_t number, const Digest& digest) {
        if (digest) digests.push_back({*digest, candidates[static_cast<size_t>(number)]});
        progress.update(number + 1);
        return !listener.stop();
      });
  return group_same(digests);
}

}  // namespace resflow
