// Keys without certificates (RFC 7250). OpenSSL knows them since 3.2: against an older one there are none.
#pragma once

#include <openssl/ssl.h>

#include <string>
#include <vector>

namespace breakwater {

struct RawKeySource {
  /** PEM */
  std::string privateKey;
  /** Whose keys are taken: SHA-256 of the SubjectPublicKeyInfo in lower-case hexadecimal, whole or its first 120 bits. */
  std::vector<std::string> peerKeys;
  bool present = false;
};

/** Hexadecimal digits of a digest that was cut (RFC 7252 §9.1.3.2.1: sha-256-120). */
constexpr size_t kShortDigestDigits = 30;
constexpr size_t kDigestDigits = 64;

/** SHA-256 of the SubjectPublicKeyInfo, lower-case hexadecimal; empty when that cannot be had. */
std::string spkiSha256Of(const EVP_PKEY* key);
/** Of the very bytes that stand in the certificate. */
std::string spkiSha256Of(const X509* certificate);

/** Whether one of `peerKeys` is this very key. */
bool isListed(const std::vector<std::string>& peerKeys, const EVP_PKEY* key);

/** Both directions offer these types of certificate, raw keys first: they make the shorter flights. False: not known. */
bool useCertificateTypes(SSL_CTX* context, bool raw, bool x509);

/** The key that a peer showed in place of a certificate, or null. */
const EVP_PKEY* rawKeyOf(const SSL* ssl);
const EVP_PKEY* rawKeyOf(SSL_SESSION* session);
const EVP_PKEY* rawKeyOf(X509_STORE_CTX* verification);

}  // namespace breakwater
