#include "io/files/sha256.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include "io/core/error.h"

namespace resflow {

struct Sha256::Impl {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  Impl() = default;
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { EVP_MD_CTX_free(context); }
};

Sha256::Sha256() : impl_(std::make_unique<Impl>()) {
  if (EVP_DigestInit_ex(impl_->context, EVP_sha256(), nullptr) != 1)
    throw internal_error("libcrypto has no SHA-256: is its configuration restricted?");
}

Sha256::~Sha256() = default;

void Sha256::add(const void* bytes, size_t size) {
  if (EVP_DigestUpdate(impl_->context, bytes, size) != 1) throw internal_error("libcrypto failed while hashing");
}

Sha256::Digest Sha256::digest() {
  Digest digest{};
  if (EVP_DigestFinal_ex(impl_->context, digest.data(), nullptr) != 1)
    throw internal_error("libcrypto failed while hashing");
  return digest;
}

std::string Sha256::hex() {
  std::string text;
  for (const uint8_t byte : digest()) text += fmt::format("{:02x}", byte);
  return text;
}

}  // namespace resflow
