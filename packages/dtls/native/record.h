// The outside of DTLS 1.2 records (RFC 6347 §4.1): enough to decide who may see one, before any cryptography.
#pragma once

#include <cstddef>
#include <cstdint>

namespace breakwater {

enum ContentType : uint8_t { kChangeCipherSpec = 20, kAlert = 21, kHandshake = 22, kApplicationData = 23 };

/** RFC 5246 §7.4. */
enum HandshakeType : uint8_t { kHelloRequest = 0, kClientHello = 1, kNewSessionTicket = 4, kFinished = 20 };

constexpr size_t kRecordHeaderBytes = 13;
/** Where epoch, sequence number (48 bits) and length of the fragment stand in the header; type and version come before. */
constexpr size_t kEpochAt = 3;
constexpr size_t kSequenceAt = 5;
constexpr size_t kLengthAt = 11;
/** RFC 6347 §4.2.2. */
constexpr size_t kMessageHeaderBytes = 12;
/** With verify_data (RFC 5246 §7.4.9). */
constexpr size_t kFinishedBytes = kMessageHeaderBytes + 12;
/** RFC 5246 §6.2.1. */
constexpr size_t kLongestFragment = 16384;

struct Record {
  /** Header and fragment. */
  const uint8_t* bytes;
  size_t length;
  uint8_t type;
  uint16_t epoch;

  size_t fragmentLength() const { return length - kRecordHeaderBytes; }
};

/** Walks the records of one datagram. */
class RecordReader {
 public:
  RecordReader(const uint8_t* bytes, size_t length) : bytes_(bytes), left_(length) {}

  /** The next record of DTLS 1.2, or false at the end. What is cut off or of another version ends the walk. */
  bool next(Record& record);
  /** True when the walk ended before the datagram did. */
  bool spoiled() const { return left_ > 0; }

 private:
  const uint8_t* bytes_;
  size_t left_;
};

/** The 48-bit sequence number of the record that starts here. */
uint64_t sequenceOf(const uint8_t* record);

constexpr size_t kHelloRandomBytes = 32;

/** If the datagram starts with an unencrypted ClientHello: its random, which tells handshakes apart. Else null. */
const uint8_t* clientHelloRandom(const uint8_t* bytes, size_t length);

/**
 * The cookie of a datagram of which `clientHelloRandom` has found the random; `cookieLength` is 0 when it has none, or
 * when its lengths lie.
 */
const uint8_t* clientHelloCookie(const uint8_t* bytes, size_t length, size_t& cookieLength);

}  // namespace breakwater
