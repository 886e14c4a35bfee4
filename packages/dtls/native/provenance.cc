#include "provenance.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <time.h>

#include <algorithm>
#include <cstring>

#include "big-endian.h"

namespace breakwater {
namespace {

constexpr uint8_t kFormat = 1;

uint64_t secondsOf(const ASN1_TIME* time) {
  tm broken{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &broken) != 1) return 0;
  const time_t seconds = timegm(&broken);
  return seconds > 0 ? static_cast<uint64_t>(seconds) : 0;
}

}  // namespace

Digester::Digester() : context_(EVP_MD_CTX_new()) { EVP_DigestInit_ex(context_, EVP_sha256(), nullptr); }

Digester::~Digester() { EVP_MD_CTX_free(context_); }

Digester& Digester::add(const void* bytes, size_t length) {
  uint8_t prefix[8];
  writeBigEndian(prefix, length, 8);
  EVP_DigestUpdate(context_, prefix, sizeof prefix);
  EVP_DigestUpdate(context_, bytes, length);
  return *this;
}

ShortDigest Digester::result() {
  uint8_t whole[SHA256_DIGEST_LENGTH] = {};
  EVP_DigestFinal_ex(context_, whole, nullptr);
  ShortDigest digest;
  std::memcpy(digest.data(), whole, digest.size());
  return digest;
}

void Provenance::write(uint8_t* out) const {
  out[0] = kFormat;
  out[1] = static_cast<uint8_t>(kind);
  writeBigEndian(out + 2, goodUntil, 8);
  std::memcpy(out + 10, own.data(), own.size());
  std::memcpy(out + 26, grounds.data(), grounds.size());
}

bool Provenance::read(const uint8_t* bytes, size_t length, Provenance& out) {
  if (length != kBytes || bytes[0] != kFormat || bytes[1] < 1 || bytes[1] > 3) return false;
  out.kind = static_cast<Kind>(bytes[1]);
  out.goodUntil = readBigEndian(bytes + 2, 8);
  std::memcpy(out.own.data(), bytes + 10, out.own.size());
  std::memcpy(out.grounds.data(), bytes + 26, out.grounds.size());
  return true;
}

uint64_t Calendar::seconds() const {
  const time_t now = time(nullptr);
  return (now > 0 ? static_cast<uint64_t>(now) : 0) + aheadMs_ / 1000;
}

uint64_t firstExpiryOf(const SSL* ssl) {
  const STACK_OF(X509)* path = SSL_get0_verified_chain(ssl);
  uint64_t first = UINT64_MAX;
  for (int i = 0; i < sk_X509_num(path); i++)
    first = std::min(first, secondsOf(X509_get0_notAfter(sk_X509_value(path, i))));
  return sk_X509_num(path) > 0 ? first : 0;
}

}  // namespace breakwater
