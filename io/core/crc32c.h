// CRC-32C (Castagnoli): the checksum of TFRecord files.
#pragma once

#include <cstdint>
#include <span>

namespace resflow {

// Polynomial 0x1EDC6F41, bits reflected, initial value and final xor all ones.
// Source  RFC 3720, appendix B.4, whose test vectors hold.
uint32_t crc32c(std::span<const uint8_t> bytes);

}  // namespace resflow
