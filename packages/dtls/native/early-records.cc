#include "early-records.h"

namespace breakwater {
namespace {

/** Header, and Finished in the largest of our suites: explicit nonce, message, tag. */
constexpr size_t kLongestFinished = kRecordHeaderBytes + 8 + kFinishedBytes + 16;
/** Somebody may throw forged ones among them. */
constexpr size_t kMostFinishedLike = 16;

}  // namespace

bool EarlyRecords::keep(const Record& record) {
  if (waiting_.size() >= kMostEarlyRecords) return false;
  waiting_.emplace_back(record.bytes, record.bytes + record.length);
  return true;
}

void EarlyRecords::remember(const Record& record) {
  if (record.length > kLongestFinished) return;
  if (finishedLike_.size() + record.length > kMostFinishedLike * kLongestFinished) {
    Record oldest;
    RecordReader(finishedLike_.data(), finishedLike_.size()).next(oldest);
    finishedLike_.erase(finishedLike_.begin(), finishedLike_.begin() + static_cast<long>(oldest.length));
  }
  finishedLike_.insert(finishedLike_.end(), record.bytes, record.bytes + record.length);
}

}  // namespace breakwater
