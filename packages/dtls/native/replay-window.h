#pragma once

#include <cstdint>

namespace breakwater {

/** RFC 6347 §4.1.2.6: which sequence numbers were taken already. A record must verify before it is marked. */
class ReplayWindow {
 public:
  static constexpr uint64_t kWidth = 64;

  bool fresh(uint64_t sequence) const {
    if (empty_ || sequence > highest_) return true;
    const uint64_t age = highest_ - sequence;
    return age < kWidth && (seen_ >> age & 1) == 0;
  }

  void mark(uint64_t sequence) {
    if (empty_ || sequence > highest_) {
      const uint64_t ahead = sequence - highest_;
      seen_ = empty_ || ahead >= kWidth ? 1 : seen_ << ahead | 1;
      highest_ = sequence;
      empty_ = false;
    } else if (highest_ - sequence < kWidth) {
      seen_ |= uint64_t{1} << (highest_ - sequence);
    }
  }

 private:
  uint64_t highest_ = 0;
  uint64_t seen_ = 0;
  bool empty_ = true;
};

}  // namespace breakwater
