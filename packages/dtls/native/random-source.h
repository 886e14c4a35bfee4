#pragma once

#include <openssl/rand.h>

#include <cstddef>
#include <cstdint>

namespace breakwater {

/** Fills `out` with bytes that nobody can predict; false when there are none to be had, and then `out` is not to be used. */
using RandomSource = bool (*)(uint8_t* out, size_t length);

inline bool secureRandom(uint8_t* out, size_t length) { return RAND_bytes(out, static_cast<int>(length)) == 1; }

}  // namespace breakwater
