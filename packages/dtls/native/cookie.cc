#include "cookie.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <cstring>

namespace breakwater {
namespace {

size_t append(uint8_t* out, const Address& address) {
  std::memcpy(out, address.bytes.data(), 16);
  std::memcpy(out + 16, &address.scope, 4);
  std::memcpy(out + 20, &address.port, 2);
  out[22] = address.family;
  return 23;
}

}  // namespace

void CookieJar::rotate(uint64_t nowMs) {
  if (started_ && nowMs < changeAtMs_) return;
  // After a long silence the secret before last would be the newest known: then nothing old is good.
  if (started_ && nowMs < changeAtMs_ + kSecretLifetimeMs)
    previous_ = current_;
  else
    RAND_bytes(previous_.data(), static_cast<int>(previous_.size()));
  RAND_bytes(current_.data(), static_cast<int>(current_.size()));
  changeAtMs_ = nowMs + kSecretLifetimeMs;
  started_ = true;
}

CookieJar::Cookie CookieJar::digest(const Secret& secret, const PathKey& path) {
  uint8_t message[46];
  append(message + append(message, path.remote), path.local);
  uint8_t full[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), message, sizeof message, full, &length);
  Cookie cookie;
  std::memcpy(cookie.data(), full, cookie.size());
  return cookie;
}

CookieJar::Cookie CookieJar::bake(const PathKey& path, uint64_t nowMs) {
  rotate(nowMs);
  return digest(current_, path);
}

bool CookieJar::accepts(const PathKey& path, const uint8_t* cookie, size_t length, uint64_t nowMs) {
  rotate(nowMs);
  if (length != kCookieBytes) return false;
  const Cookie now = digest(current_, path);
  if (CRYPTO_memcmp(now.data(), cookie, length) == 0) return true;
  const Cookie before = digest(previous_, path);
  return CRYPTO_memcmp(before.data(), cookie, length) == 0;
}

}  // namespace breakwater
