#pragma once

#include <array>

#include "aead.h"

namespace breakwater {

/** The key of one direction of a session, with the part of its nonces that no record carries. Erased at its end. */
struct RecordKey {
  std::array<uint8_t, kLongestKey> key{};
  std::array<uint8_t, kNonceBytes> fixed{};

  ~RecordKey();
};

/** What one AEAD operation is about. The tag follows `out` when sealing and `in` when opening. */
struct AeadOperation {
  const uint8_t* nonce;
  const uint8_t* additional;
  size_t additionalLength;
  const uint8_t* in;
  size_t length;
  uint8_t* out;
};

/**
 * The cipher contexts of an endpoint: one for each algorithm and direction, which takes the key of whose turn it is. Ten
 * thousand sessions with a context each would be ten thousand times out of the processor's cache.
 */
class RecordCiphers {
 public:
  RecordCiphers() = default;
  ~RecordCiphers();
  RecordCiphers(const RecordCiphers&) = delete;
  RecordCiphers& operator=(const RecordCiphers&) = delete;

  /** Writes as many bytes as it reads, then the tag. False when OpenSSL fails, which needs a lack of memory. */
  bool seal(Aead aead, const RecordKey& key, const AeadOperation& operation);
  /** False when it does not verify: then `out` holds nothing that anybody may look at. */
  bool open(Aead aead, const RecordKey& key, const AeadOperation& operation);
  /** The key goes, so nothing that was made of it may stay. */
  void forget(const RecordKey& key);

 private:
  struct Context {
    EVP_CIPHER_CTX* context = nullptr;
    /** Whose key it has. */
    const RecordKey* holder = nullptr;
  };

  EVP_CIPHER_CTX* ready(Context& slot, Aead aead, const RecordKey& key, const uint8_t* nonce, bool seals);
  static bool prepare(Context& slot, Aead aead, bool seals);
  static void drop(Context& slot);

  std::array<Context, kAeads> sealing_{};
  std::array<Context, kAeads> opening_{};
};

}  // namespace breakwater
