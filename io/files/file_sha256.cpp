#include "io/files/file_sha256.h"

#include <algorithm>
#include <filesystem>
#include <span>
#include <vector>

#include "io/files/file.h"
#include "io/files/sha256.h"

namespace resflow {

std::string file_sha256(const std::string& path, Listener& listener) {
  constexpr int64_t kPiece = 1 << 20, kUnit = 1'000'000;
  const InputFile file(path);
  Progress progress(listener, {.label = "checking " + std::filesystem::path(path).filename().string(),
                               .unit = "MB",
                               .total = file.size() / kUnit});
  Sha256 hash;
  std::vector<uint8_t> buffer(static_cast<size_t>(std::min(kPiece, file.size())));
  for (int64_t at = 0; at < file.size(); at += kPiece) {
    const auto piece = std::span(buffer).first(static_cast<size_t>(std::min(kPiece, file.size() - at)));
    file.read(at, piece);
    hash.add(piece.data(), piece.size());
    progress.update((at + static_cast<int64_t>(piece.size())) / kUnit);
  }
  return hash.hex();
}

}  // namespace resflow
