#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "address.h"

namespace breakwater {

/** ClientHellos per second. A second's worth may come at once from everybody, two seconds' worth from one source. */
struct HelloLimits {
  uint32_t perSource = 200;
  uint32_t unverified = 10'000;
};

/**
 * Decides which ClientHellos get as far as OpenSSL. Its state does not grow: sources (IPv4 addresses, IPv6 /64s) share a
 * fixed number of buckets by a seeded hash, so whoever forges sources can fill memory as little as choose whom to harm.
 * Sources that prove themselves by a good cookie have buckets of their own, which no forged hello reaches.
 */
class HelloLimiter {
 public:
  enum class Verdict : uint8_t { kTake, kOverRate, kOverBudget };

  explicit HelloLimiter(const HelloLimits& limits);

  /** `proven`: it brought a good cookie. A hello that is dropped costs its source nothing. */
  Verdict judge(const Address& remote, bool proven, uint64_t nowMs);

 private:
  static constexpr size_t kBuckets = 8192;

  /** A token bucket as one number: when it will be full again, in nanoseconds. */
  using FullAt = uint64_t;
  using Table = std::array<FullAt, kBuckets>;

  struct Rate {
    uint64_t intervalNs;
    uint64_t burstNs;
    bool allows(FullAt fullAt, uint64_t nowNs) const;
    void take(FullAt& fullAt, uint64_t nowNs) const;
  };

  static Rate rateOf(uint32_t perSecond, uint32_t burstSeconds);

  Rate perSource_;
  Rate unverified_;
  Table claimed_{};
  Table proven_{};
  FullAt budget_ = 0;
};

}  // namespace breakwater
