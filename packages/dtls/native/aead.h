#pragma once

#include <openssl/evp.h>
#include <openssl/ssl.h>

#include <cstddef>
#include <cstdint>

namespace breakwater {

/** How a suite protects its records: AES-GCM (RFC 5288), AES-CCM (RFC 6655, RFC 7251), ChaCha20-Poly1305 (RFC 7905). */
enum class Aead : uint8_t { kAes128Gcm, kAes256Gcm, kAes128Ccm, kAes128Ccm8, kChaCha20Poly1305 };

constexpr size_t kAeads = 5;
constexpr size_t kNonceBytes = 12;
constexpr size_t kLongestKey = 32;
constexpr size_t kLongestTag = 16;

struct AeadShape {
  const EVP_CIPHER* (*cipher)();
  size_t keyBytes;
  size_t tagBytes;
  /** What of the nonce each record carries; the rest comes of the handshake. */
  size_t explicitBytes;
  bool ccm;

  size_t fixedBytes() const { return kNonceBytes - explicitBytes; }
  size_t overhead() const { return explicitBytes + tagBytes; }
};

const AeadShape& shapeOf(Aead aead);

/** False for a suite that our own record layer does not know, as any without authenticated encryption. */
bool aeadOf(const SSL_CIPHER* cipher, Aead& out);

/** A suite whose tag has 8 bytes in place of 16. */
bool isCcm8(const SSL_CIPHER* cipher);

}  // namespace breakwater
