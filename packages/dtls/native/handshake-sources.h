#pragma once

#include <cstdint>
#include <unordered_map>

#include "address.h"

namespace breakwater {

/**
 * Handshakes in progress, and how many of them each source has. A host that can answer a cookie has all of its ports, or
 * all of an IPv6 /64, to begin handshakes from; it must not be able to take the room of everybody else.
 */
class HandshakeSources {
 public:
  uint32_t total() const { return total_; }
  uint32_t from(const Address& remote) const {
    const auto found = counts_.find(sourceOf(remote));
    return found == counts_.end() ? 0 : found->second;
  }

  void add(const Address& remote) {
    counts_[sourceOf(remote)]++;
    total_++;
  }
  void remove(const Address& remote) {
    const auto found = counts_.find(sourceOf(remote));
    if (--found->second == 0) counts_.erase(found);
    total_--;
  }

 private:
  std::unordered_map<PathKey, uint32_t, PathKeyHash> counts_;
  uint32_t total_ = 0;
};

}  // namespace breakwater
