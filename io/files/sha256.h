// SHA-256 of bytes that come in pieces (libcrypto).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

namespace resflow {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  using Digest = std::array<uint8_t, 32>;

  void add(const void* bytes, size_t size);
  // Of all that was added; nothing may be added, nor either called again, after.
  Digest digest();
  std::string hex();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace resflow
