#pragma once

#include <cstddef>
#include <cstdint>

#include "address.h"

namespace breakwater {

/** Takes finished datagrams away: a UDP socket, or memory in tests. */
class Transport {
 public:
  /** Copies the bytes: they are the caller's again when this returns. */
  virtual void send(const Path& path, const uint8_t* bytes, size_t length) = 0;

 protected:
  ~Transport() = default;
};

/** Longest datagram that is taken in: one DTLS record of 2^14 bytes with its expansion (RFC 6347 §4.3.1), or a flight. */
constexpr size_t kLongestDatagram = 16384 + 2048;

}  // namespace breakwater
