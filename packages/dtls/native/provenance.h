// What a resumable session rests on. A short handshake shows no certificate and no key again, so what the full one rested
// on is written down with the session: in the ticket at a server, beside the session at a client.
#pragma once

#include <openssl/ssl.h>

#include <array>
#include <cstdint>

namespace breakwater {

using ShortDigest = std::array<uint8_t, 16>;

/** SHA-256 of the parts, each with its length before it, cut to 128 bits. */
class Digester {
 public:
  Digester();
  ~Digester();
  Digester(const Digester&) = delete;
  Digester& operator=(const Digester&) = delete;

  Digester& add(const void* bytes, size_t length);
  ShortDigest result();

 private:
  EVP_MD_CTX* context_;
};

struct Provenance {
  enum class Kind : uint8_t { kCertificate = 1, kPsk = 2, kRawKey = 3 };
  static constexpr size_t kBytes = 2 + 8 + 16 + 16;

  Kind kind = Kind::kCertificate;
  /** Seconds since 1970: when the first certificate of the peer's path expires. Keys do not. */
  uint64_t goodUntil = UINT64_MAX;
  /** What we authenticated ourselves with. */
  ShortDigest own{};
  /** Certificate: trust anchors and revocation lists. Pre-shared key: identity and key. Raw key: nothing, it is in the session. */
  ShortDigest grounds{};

  void write(uint8_t* out) const;
  /** False when these bytes are none. */
  static bool read(const uint8_t* bytes, size_t length, Provenance& out);
};

/** Seconds since 1970: that is what certificates go by. */
class Calendar {
 public:
  uint64_t seconds() const;
  /** For tests, which cannot wait for days. */
  void advance(uint64_t milliseconds) { aheadMs_ += milliseconds; }

 private:
  uint64_t aheadMs_ = 0;
};

/** When the first certificate of the path that was just verified expires; 0 when that cannot be read. */
uint64_t firstExpiryOf(const SSL* ssl);

}  // namespace breakwater
