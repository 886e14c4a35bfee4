#include "hello-limiter.h"

#include <algorithm>

namespace breakwater {
namespace {

constexpr uint64_t kSecondNs = 1'000'000'000;
constexpr uint64_t kMillisecondNs = 1'000'000;

}  // namespace

HelloLimiter::HelloLimiter(const HelloLimits& limits)
    : perSource_(rateOf(limits.perSource, 2)), unverified_(rateOf(limits.unverified, 1)) {}

HelloLimiter::Rate HelloLimiter::rateOf(uint32_t perSecond, uint32_t burstSeconds) {
  const uint64_t intervalNs = kSecondNs / std::max(perSecond, 1u);
  return {intervalNs, burstSeconds * kSecondNs - intervalNs};
}

bool HelloLimiter::Rate::allows(FullAt fullAt, uint64_t nowNs) const {
  return fullAt <= nowNs || fullAt - nowNs <= burstNs;
}

void HelloLimiter::Rate::take(FullAt& fullAt, uint64_t nowNs) const { fullAt = std::max(fullAt, nowNs) + intervalNs; }

HelloLimiter::Verdict HelloLimiter::judge(const Address& remote, bool proven, uint64_t nowMs) {
  const uint64_t nowNs = nowMs * kMillisecondNs;
  FullAt& bucket = (proven ? proven_ : claimed_)[PathKeyHash{}(sourceOf(remote)) % kBuckets];
  if (!perSource_.allows(bucket, nowNs)) return Verdict::kOverRate;
  if (!proven) {
    if (!unverified_.allows(budget_, nowNs)) return Verdict::kOverBudget;
    unverified_.take(budget_, nowNs);
  }
  perSource_.take(bucket, nowNs);
  return Verdict::kTake;
}

}  // namespace breakwater
