#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "address.h"

namespace breakwater {

/**
 * Stateless cookies (RFC 6347 §4.2.1): HMAC over both addresses under a secret of our own. The secret changes every
 * minute and the one before stays good, so a cookie lives between one and two minutes.
 */
class CookieJar {
 public:
  static constexpr size_t kCookieBytes = 16;
  static constexpr uint64_t kSecretLifetimeMs = 60'000;
  using Cookie = std::array<uint8_t, kCookieBytes>;

  /** `nowMs` is monotonic. */
  Cookie bake(const PathKey& path, uint64_t nowMs);
  bool accepts(const PathKey& path, const uint8_t* cookie, size_t length, uint64_t nowMs);

 private:
  using Secret = std::array<uint8_t, 32>;

  void rotate(uint64_t nowMs);
  static Cookie digest(const Secret& secret, const PathKey& path);

  Secret current_{};
  Secret previous_{};
  uint64_t changeAtMs_ = 0;
  bool started_ = false;
};

}  // namespace breakwater
