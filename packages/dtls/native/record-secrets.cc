#include "record-secrets.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <openssl/params.h>

#include <cstring>

namespace breakwater {
namespace {

constexpr size_t kMasterBytes = SSL_MAX_MASTER_KEY_LENGTH;
constexpr char kLabel[] = "key expansion";
constexpr size_t kLabelBytes = sizeof kLabel - 1;

/** RFC 5246 §5. */
bool expand(const char* digest, uint8_t* secret, size_t secretLength, uint8_t* seed, size_t seedLength, uint8_t* out,
            size_t length) {
  // Looked up once: a fetch takes longer than all the rest.
  static EVP_KDF* const prf = EVP_KDF_fetch(nullptr, "TLS1-PRF", nullptr);
  EVP_KDF_CTX* context = EVP_KDF_CTX_new(prf);
  if (context == nullptr) return false;
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, const_cast<char*>(digest), 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SECRET, secret, secretLength),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_SEED, seed, seedLength), OSSL_PARAM_construct_end()};
  const bool done = EVP_KDF_derive(context, out, length, parameters) == 1;
  EVP_KDF_CTX_free(context);
  return done;
}

/** The key block: both keys, then both fixed parts, the client's first. */
void share(const uint8_t* block, const AeadShape& shape, bool server, RecordSecrets& out) {
  RecordKey& client = server ? out.theirs : out.ours;
  RecordKey& served = server ? out.ours : out.theirs;
  const uint8_t* const fixed = block + 2 * shape.keyBytes;
  std::memcpy(client.key.data(), block, shape.keyBytes);
  std::memcpy(served.key.data(), block + shape.keyBytes, shape.keyBytes);
  std::memcpy(client.fixed.data(), fixed, shape.fixedBytes());
  std::memcpy(served.fixed.data(), fixed + shape.fixedBytes(), shape.fixedBytes());
}

}  // namespace

bool deriveSecrets(const SSL* ssl, RecordSecrets& out) {
  const SSL_CIPHER* cipher = SSL_get_current_cipher(ssl);
  if (SSL_version(ssl) != DTLS1_2_VERSION || !aeadOf(cipher, out.aead)) return false;
  const AeadShape& shape = shapeOf(out.aead);
  const EVP_MD* digest = SSL_CIPHER_get_handshake_digest(cipher);
  uint8_t master[kMasterBytes];
  uint8_t seed[kLabelBytes + 2 * SSL3_RANDOM_SIZE];
  uint8_t block[2 * (kLongestKey + kNonceBytes)];
  const size_t masterLength = SSL_SESSION_get_master_key(SSL_get_session(ssl), master, sizeof master);
  std::memcpy(seed, kLabel, kLabelBytes);
  SSL_get_server_random(ssl, seed + kLabelBytes, SSL3_RANDOM_SIZE);
  SSL_get_client_random(ssl, seed + kLabelBytes + SSL3_RANDOM_SIZE, SSL3_RANDOM_SIZE);
  const bool derived = digest != nullptr && masterLength > 0 &&
                       expand(EVP_MD_get0_name(digest), master, masterLength, seed, sizeof seed, block,
                              2 * (shape.keyBytes + shape.fixedBytes()));
  if (derived) share(block, shape, SSL_is_server(ssl) == 1, out);
  OPENSSL_cleanse(master, sizeof master);
  OPENSSL_cleanse(block, sizeof block);
  return derived;
}

}  // namespace breakwater
