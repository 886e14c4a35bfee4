// The protection of DTLS 1.2 records (RFC 6347 §4.1) of one session after its handshake: keys, sequence numbers, nonces
// and the replay window, without an SSL object. It is the only one that writes under its key.
#pragma once

#include "record-ciphers.h"
#include "record.h"
#include "replay-window.h"

namespace breakwater {

/** All that two sides have in common after a handshake, as one of them sees it. */
struct RecordSecrets {
  Aead aead = Aead::kAes128Gcm;
  RecordKey ours;
  RecordKey theirs;
};

/** Where the writer before us has stopped. */
struct WritePosition {
  uint64_t sequence = 0;
  /** Explicit part of its last nonce, of suites that have one. */
  uint64_t explicitNonce = 0;
};

class RecordLayer {
 public:
  /** RFC 6347 §4.1: sequence numbers have 48 bits, and none is used twice under one key. */
  static constexpr uint64_t kLastSequence = (uint64_t{1} << 48) - 1;
  /** How many forged records a key endures (after RFC 9147 §4.5.3): beyond, one of them might pass. */
  static constexpr uint64_t kMostForgeries = uint64_t{1} << 36;

  /** Goes on behind `last`, which has been written under `secrets.ours`. */
  RecordLayer(const RecordSecrets& secrets, const WritePosition& last);
  ~RecordLayer() = default;
  RecordLayer(const RecordLayer&) = delete;
  RecordLayer& operator=(const RecordLayer&) = delete;

  size_t overhead() const { return shapeOf(secrets_.aead).overhead(); }
  size_t sealedLength(size_t length) const { return kRecordHeaderBytes + overhead() + length; }
  /** Writes a record of `sealedLength(length)` bytes. False when the sequence numbers are used up. */
  bool seal(RecordCiphers& ciphers, uint8_t type, const uint8_t* plaintext, size_t length, uint8_t* out);

  /**
   * Opens a record of the peer into `out`, which has room for all of its fragment. False when it is a replay, or does
   * not verify; then nothing has changed but a count.
   */
  bool open(RecordCiphers& ciphers, const Record& record, uint8_t* out, size_t& length);
  /** Opens a record that was written under our own key. */
  bool openOwn(RecordCiphers& ciphers, const Record& record, uint8_t* out, size_t& length) const;
  /** More records were forged than the key endures. */
  bool wornOut() const { return forgeries_ >= kMostForgeries; }
  void forget(RecordCiphers& ciphers) const;

 private:
  bool decrypt(RecordCiphers& ciphers, const RecordKey& key, const Record& record, uint8_t* out, size_t& length) const;

  RecordSecrets secrets_;
  uint64_t nextSequence_;
  uint64_t nextExplicitNonce_;
  uint64_t forgeries_ = 0;
  ReplayWindow window_;
};

}  // namespace breakwater
