#pragma once

#include <cstdint>
#include <vector>

#include "record.h"

namespace breakwater {

/**
 * Records of data that may wait for the end of a handshake which they have overtaken. All of them come up together with
 * it, so there must be room for them at once.
 */
constexpr size_t kMostEarlyRecords = 8;

/**
 * What comes under the new key while a handshake goes on. Data and alerts wait here and never get into OpenSSL, so that
 * nobody but the channel decides whether they are replays. Of Finished, which is OpenSSL's to read, a copy stays: the
 * channel has to know that it was taken.
 */
class EarlyRecords {
 public:
  /** Data or an alert. False when there is no room for it. */
  bool keep(const Record& record);
  /** Something that may be the Finished of the peer; of many, the last few are remembered. */
  void remember(const Record& record);

  std::vector<std::vector<uint8_t>> takeWaiting() { return static_cast<std::vector<std::vector<uint8_t>>&&>(waiting_); }
  const std::vector<uint8_t>& finishedLike() const { return finishedLike_; }

 private:
  std::vector<std::vector<uint8_t>> waiting_;
  /** Records behind one another. */
  std::vector<uint8_t> finishedLike_;
};

}  // namespace breakwater
