#include "record-layer.h"

#include <cstring>

#include "big-endian.h"

namespace breakwater {
namespace {

constexpr size_t kAdditionalBytes = 13;

/** RFC 5246 §6.2.3.3: epoch and sequence number, then type, version and the length of the plaintext. */
void writeAdditional(uint8_t* out, const uint8_t* header, size_t length) {
  std::memcpy(out, header + kEpochAt, 8);
  std::memcpy(out + 8, header, 3);
  writeBigEndian(out + 11, length, 2);
}

/**
 * The fixed part with the explicit part behind it (RFC 5288 §3, RFC 6655 §3), or, without one, mixed with epoch and
 * sequence number (RFC 7905 §2).
 */
void writeNonce(uint8_t* out, const AeadShape& shape, const RecordKey& key, const uint8_t* header) {
  std::memcpy(out, key.fixed.data(), shape.fixedBytes());
  if (shape.explicitBytes > 0) {
    std::memcpy(out + shape.fixedBytes(), header + kRecordHeaderBytes, shape.explicitBytes);
    return;
  }
  for (size_t i = 0; i < 8; i++) out[4 + i] ^= header[kEpochAt + i];
}

}  // namespace

RecordLayer::RecordLayer(const RecordSecrets& secrets, const WritePosition& last)
    : secrets_(secrets), nextSequence_(last.sequence + 1), nextExplicitNonce_(last.explicitNonce + 1) {}

bool RecordLayer::seal(RecordCiphers& ciphers, uint8_t type, const uint8_t* plaintext, size_t length, uint8_t* out) {
  if (nextSequence_ > kLastSequence || length > kLongestFragment) return false;
  const AeadShape& shape = shapeOf(secrets_.aead);
  out[0] = type;
  out[1] = 0xfe;
  out[2] = 0xfd;
  writeBigEndian(out + kEpochAt, uint64_t{1} << 48 | nextSequence_, 8);
  writeBigEndian(out + kLengthAt, shape.overhead() + length, 2);
  writeBigEndian(out + kRecordHeaderBytes, nextExplicitNonce_, shape.explicitBytes);
  // First: whatever happens from here on, neither is used again.
  nextSequence_++;
  nextExplicitNonce_++;
  uint8_t nonce[kNonceBytes], additional[kAdditionalBytes];
  writeNonce(nonce, shape, secrets_.ours, out);
  writeAdditional(additional, out, length);
  return ciphers.seal(secrets_.aead, secrets_.ours,
                      {nonce, additional, sizeof additional, plaintext, length,
                       out + kRecordHeaderBytes + shape.explicitBytes});
}

bool RecordLayer::open(RecordCiphers& ciphers, const Record& record, uint8_t* out, size_t& length) {
  const uint64_t sequence = sequenceOf(record.bytes);
  if (record.epoch != 1 || !window_.fresh(sequence)) return false;
  if (!decrypt(ciphers, secrets_.theirs, record, out, length)) return forgeries_++, false;
  window_.mark(sequence);
  return true;
}

bool RecordLayer::openOwn(RecordCiphers& ciphers, const Record& record, uint8_t* out, size_t& length) const {
  return record.epoch == 1 && decrypt(ciphers, secrets_.ours, record, out, length);
}

bool RecordLayer::decrypt(RecordCiphers& ciphers, const RecordKey& key, const Record& record, uint8_t* out,
                          size_t& length) const {
  const AeadShape& shape = shapeOf(secrets_.aead);
  if (record.fragmentLength() < shape.overhead()) return false;
  length = record.fragmentLength() - shape.overhead();
  if (length > kLongestFragment) return false;
  uint8_t nonce[kNonceBytes], additional[kAdditionalBytes];
  writeNonce(nonce, shape, key, record.bytes);
  writeAdditional(additional, record.bytes, length);
  return ciphers.open(secrets_.aead, key,
                      {nonce, additional, sizeof additional, record.bytes + kRecordHeaderBytes + shape.explicitBytes,
                       length, out});
}

void RecordLayer::forget(RecordCiphers& ciphers) const {
  ciphers.forget(secrets_.ours);
  ciphers.forget(secrets_.theirs);
}

}  // namespace breakwater
