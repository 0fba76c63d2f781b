// SHA-256 of bytes that come in pieces (libcrypto).
#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace resflow {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  void add(const void* bytes, size_t size);
  std::string hex();  // of all that was added; nothing may be added after

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace resflow
