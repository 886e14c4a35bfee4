#include "record.h"

namespace breakwater {
namespace {

/** Behind client_version. */
constexpr size_t kRandomOffset = kRecordHeaderBytes + kMessageHeaderBytes + 2;

/** Hello messages may carry the version of DTLS 1.0 on their records (RFC 6347 §4.2.1); nothing else may. */
bool knownVersion(const uint8_t* header, uint16_t epoch) {
  return header[1] == 0xfe && (header[2] == 0xfd || (header[2] == 0xff && epoch == 0));
}

}  // namespace

bool RecordReader::next(Record& record) {
  if (left_ < kRecordHeaderBytes) return false;
  const size_t length = kRecordHeaderBytes + static_cast<size_t>(bytes_[kLengthAt] << 8 | bytes_[kLengthAt + 1]);
  const uint16_t epoch = static_cast<uint16_t>(bytes_[kEpochAt] << 8 | bytes_[kEpochAt + 1]);
  if (length > left_ || !knownVersion(bytes_, epoch)) return false;
  record = {bytes_, length, bytes_[0], epoch};
  bytes_ += length;
  left_ -= length;
  return true;
}

uint64_t sequenceOf(const uint8_t* record) {
  uint64_t sequence = 0;
  for (size_t i = kSequenceAt; i < kLengthAt; i++) sequence = sequence << 8 | record[i];
  return sequence;
}

const uint8_t* clientHelloRandom(const uint8_t* bytes, size_t length) {
  Record first;
  if (!RecordReader(bytes, length).next(first)) return nullptr;
  if (first.type != kHandshake || first.epoch != 0) return nullptr;
  if (first.length < kRandomOffset + kHelloRandomBytes || bytes[kRecordHeaderBytes] != kClientHello) return nullptr;
  return bytes + kRandomOffset;
}

const uint8_t* clientHelloCookie(const uint8_t* bytes, size_t length, size_t& cookieLength) {
  cookieLength = 0;
  // RFC 6347 §4.2.1: session_id, then the cookie, each behind a byte of length.
  const size_t sessionAt = kRandomOffset + kHelloRandomBytes;
  if (length <= sessionAt) return nullptr;
  const size_t cookieAt = sessionAt + 1 + bytes[sessionAt];
  if (length <= cookieAt || length - cookieAt - 1 < bytes[cookieAt]) return nullptr;
  cookieLength = bytes[cookieAt];
  return bytes + cookieAt + 1;
}

}  // namespace breakwater
