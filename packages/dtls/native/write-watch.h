#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "record-layer.h"

namespace breakwater {

/** Looks at what OpenSSL writes during a handshake, so that somebody else can go on from there. */
class WriteWatch {
 public:
  /** One datagram, as it leaves. */
  void see(const uint8_t* datagram, size_t length);

  /** It has written encrypted records, and nothing that could not be read as records. */
  bool complete() const { return !unreadable_ && !lastEncrypted_.empty(); }
  /** The last record under the new key: Finished, as long as nobody wrote data. */
  Record lastEncrypted() const;
  WritePosition position(Aead aead) const;
  /** The unencrypted records of the last flight that ended with Finished: NewSessionTicket and ChangeCipherSpec. */
  const std::vector<uint8_t>& unencryptedPart() const { return unencrypted_; }
  /** The highest number of an unencrypted record. */
  uint64_t plainSequence() const { return plainSequence_; }

 private:
  void seeUnencrypted(const Record& record);

  std::vector<uint8_t> lastEncrypted_;
  std::vector<uint8_t> unencrypted_;
  uint64_t plainSequence_ = 0;
  bool flightComplete_ = false;
  bool unreadable_ = false;
};

}  // namespace breakwater
