#include "raw-key.h"

#include <openssl/sha.h>
#include <openssl/x509.h>

#include <algorithm>

// Weak: with an OpenSSL that has none of these the addon loads all the same.
#pragma weak SSL_CTX_set1_client_cert_type
#pragma weak SSL_CTX_set1_server_cert_type
#pragma weak SSL_get0_peer_rpk
#pragma weak SSL_SESSION_get0_peer_rpk
#pragma weak X509_STORE_CTX_get0_rpk

namespace breakwater {
namespace {

/** Takes over `der`. */
std::string digestOf(unsigned char* der, int length) {
  if (length <= 0) return {};
  unsigned char digest[SHA256_DIGEST_LENGTH];
  SHA256(der, static_cast<size_t>(length), digest);
  OPENSSL_free(der);
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const unsigned char byte : digest) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

}  // namespace

std::string spkiSha256Of(const EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(key, &der);
  return digestOf(der, length);
}

std::string spkiSha256Of(const X509* certificate) {
  unsigned char* der = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
  return digestOf(der, length);
}

bool isListed(const std::vector<std::string>& peerKeys, const EVP_PKEY* key) {
  const std::string digest = key == nullptr ? "" : spkiSha256Of(key);
  return std::any_of(peerKeys.begin(), peerKeys.end(), [&digest](const std::string& listed) {
    return (listed.size() == kDigestDigits || listed.size() == kShortDigestDigits) && digest.starts_with(listed);
  });
}

bool useCertificateTypes(SSL_CTX* context, bool raw, bool x509) {
  if (SSL_CTX_set1_client_cert_type == nullptr || SSL_CTX_set1_server_cert_type == nullptr ||
      SSL_get0_peer_rpk == nullptr || SSL_SESSION_get0_peer_rpk == nullptr || X509_STORE_CTX_get0_rpk == nullptr)
    return !raw;
  std::vector<unsigned char> types;
  if (raw) types.push_back(TLSEXT_cert_type_rpk);
  if (x509) types.push_back(TLSEXT_cert_type_x509);
  return SSL_CTX_set1_client_cert_type(context, types.data(), types.size()) == 1 &&
         SSL_CTX_set1_server_cert_type(context, types.data(), types.size()) == 1;
}

const EVP_PKEY* rawKeyOf(const SSL* ssl) { return SSL_get0_peer_rpk == nullptr ? nullptr : SSL_get0_peer_rpk(ssl); }

const EVP_PKEY* rawKeyOf(SSL_SESSION* session) {
  return SSL_SESSION_get0_peer_rpk == nullptr ? nullptr : SSL_SESSION_get0_peer_rpk(session);
}

const EVP_PKEY* rawKeyOf(X509_STORE_CTX* verification) {
  return X509_STORE_CTX_get0_rpk == nullptr ? nullptr : X509_STORE_CTX_get0_rpk(verification);
}

}  // namespace breakwater
