#pragma once

#include <cstddef>
#include <cstdint>

namespace breakwater {

inline void writeBigEndian(uint8_t* out, uint64_t number, size_t bytes) {
  for (size_t i = bytes; i-- > 0; number >>= 8) out[i] = static_cast<uint8_t>(number);
}

inline uint64_t readBigEndian(const uint8_t* bytes, size_t count) {
  uint64_t number = 0;
  for (size_t i = 0; i < count; i++) number = number << 8 | bytes[i];
  return number;
}

}  // namespace breakwater
