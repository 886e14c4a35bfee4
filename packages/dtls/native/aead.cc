#include "aead.h"

#include <openssl/objects.h>

namespace breakwater {

const AeadShape& shapeOf(Aead aead) {
  static const AeadShape shapes[kAeads] = {
      {EVP_aes_128_gcm, 16, 16, 8, false},
      {EVP_aes_256_gcm, 32, 16, 8, false},
      {EVP_aes_128_ccm, 16, 16, 8, true},
      {EVP_aes_128_ccm, 16, 8, 8, true},
      {EVP_chacha20_poly1305, 32, 16, 0, false},
  };
  return shapes[static_cast<size_t>(aead)];
}

bool aeadOf(const SSL_CIPHER* cipher, Aead& out) {
  if (cipher == nullptr) return false;
  switch (SSL_CIPHER_get_cipher_nid(cipher)) {
    case NID_aes_128_gcm:
      return out = Aead::kAes128Gcm, true;
    case NID_aes_256_gcm:
      return out = Aead::kAes256Gcm, true;
    case NID_aes_128_ccm:
      return out = isCcm8(cipher) ? Aead::kAes128Ccm8 : Aead::kAes128Ccm, true;
    case NID_chacha20_poly1305:
      return out = Aead::kChaCha20Poly1305, true;
    default:
      return false;
  }
}

bool isCcm8(const SSL_CIPHER* cipher) {
  if (cipher == nullptr) return false;
  // TLS_PSK_WITH_AES_128_CCM_8 (RFC 6655 §4), TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8 (RFC 7251 §2).
  const uint16_t id = SSL_CIPHER_get_protocol_id(cipher);
  return id == 0xc0a8 || id == 0xc0ae;
}

}  // namespace breakwater
