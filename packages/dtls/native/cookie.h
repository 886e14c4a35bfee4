#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "address.h"

namespace breakwater {

/**
 * Stateless cookies (RFC 6347 §4.2.1): HMAC over both addresses under a secret of our own. The secret changes every
 * minute and the one before stays good, so a cookie lives between one and two minutes. Without randomness, or without a
 * digest, it fails closed: it makes no cookie and accepts none, because whoever could guess one could forge any source.
 */
class CookieJar {
 public:
  static constexpr size_t kCookieBytes = 16;
  static constexpr uint64_t kSecretLifetimeMs = 60'000;
  using Cookie = std::array<uint8_t, kCookieBytes>;

  explicit CookieJar(RandomSource random) : random_(random) {}
  ~CookieJar();
  CookieJar(const CookieJar&) = delete;
  CookieJar& operator=(const CookieJar&) = delete;

  /** False when there is none to be had. `nowMs` is monotonic. */
  bool bake(const PathKey& path, uint64_t nowMs, Cookie& cookie);
  bool accepts(const PathKey& path, const uint8_t* cookie, size_t length, uint64_t nowMs);

 private:
  using Secret = std::array<uint8_t, 32>;

  bool rotate(uint64_t nowMs);
  static bool digest(const Secret& secret, const PathKey& path, Cookie& cookie);

  RandomSource random_;
  Secret current_{};
  Secret previous_{};
  uint64_t changeAtMs_ = 0;
  bool started_ = false;
};

}  // namespace breakwater
