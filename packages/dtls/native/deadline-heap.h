#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "session-outcome.h"

namespace breakwater {

/** Deadlines of peers, earliest first. An entry that its peer no longer stands by is dropped when it comes up. */
class DeadlineHeap {
 public:
  struct Entry {
    uint64_t atMs;
    PeerId peer;
  };

  void push(uint64_t atMs, PeerId peer) {
    entries_.push_back({atMs, peer});
    std::push_heap(entries_.begin(), entries_.end(), later);
  }

  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  const Entry& earliest() const { return entries_.front(); }

  void pop() {
    std::pop_heap(entries_.begin(), entries_.end(), later);
    entries_.pop_back();
  }

 private:
  static bool later(const Entry& a, const Entry& b) { return a.atMs > b.atMs; }

  std::vector<Entry> entries_;
};

}  // namespace breakwater
