#include "cookie.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>

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

CookieJar::~CookieJar() {
  OPENSSL_cleanse(current_.data(), current_.size());
  OPENSSL_cleanse(previous_.data(), previous_.size());
}

bool CookieJar::rotate(uint64_t nowMs) {
  if (started_ && nowMs < changeAtMs_) return true;
  // After a long silence the secret before last would be the newest known: then nothing old is good.
  if (started_ && nowMs < changeAtMs_ + kSecretLifetimeMs)
    previous_ = current_;
  else if (!random_(previous_.data(), previous_.size()))
    return started_ = false;
  // A secret that could not be renewed is not used any longer, and the next hello tries again.
  started_ = random_(current_.data(), current_.size());
  changeAtMs_ = nowMs + kSecretLifetimeMs;
  return started_;
}

bool CookieJar::digest(const Secret& secret, const PathKey& path, Cookie& cookie) {
  uint8_t message[46];
  append(message + append(message, path.remote), path.local);
  uint8_t full[EVP_MAX_MD_SIZE];
  unsigned int length = 0;
  if (HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()), message, sizeof message, full, &length) ==
          nullptr ||
      length < cookie.size())
    return false;
  std::memcpy(cookie.data(), full, cookie.size());
  return true;
}

bool CookieJar::bake(const PathKey& path, uint64_t nowMs, Cookie& cookie) {
  return rotate(nowMs) && digest(current_, path, cookie);
}

bool CookieJar::accepts(const PathKey& path, const uint8_t* cookie, size_t length, uint64_t nowMs) {
  if (length != kCookieBytes || !rotate(nowMs)) return false;
  for (const Secret* secret : {&current_, &previous_}) {
    Cookie good;
    if (digest(*secret, path, good) && CRYPTO_memcmp(good.data(), cookie, length) == 0) return true;
  }
  return false;
}

}  // namespace breakwater
