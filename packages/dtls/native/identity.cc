#include "identity.h"

#include <openssl/sha.h>
#include <openssl/x509v3.h>

namespace breakwater {
namespace {

/** A DNS name has printable ASCII only; anything else could read differently to two readers. */
bool readDnsName(const ASN1_STRING* text, std::string& name) {
  const unsigned char* bytes = ASN1_STRING_get0_data(text);
  const int length = ASN1_STRING_length(text);
  name.clear();
  for (int i = 0; i < length; i++) {
    const unsigned char byte = bytes[i];
    if (byte <= 0x20 || byte >= 0x7f) return false;
    name.push_back(static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte));
  }
  return length > 0;
}

std::vector<std::string> dnsNamesOf(const X509* certificate) {
  std::vector<std::string> names;
  auto* all = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
    const GENERAL_NAME* item = sk_GENERAL_NAME_value(all, i);
    std::string name;
    if (item->type == GEN_DNS && readDnsName(item->d.dNSName, name)) names.push_back(name);
  }
  GENERAL_NAMES_free(all);
  return names;
}

std::string commonNameOf(const X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  unsigned char* utf8 = nullptr;
  const int length = ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
  std::string name;
  if (length > 0) name.assign(reinterpret_cast<const char*>(utf8), static_cast<size_t>(length));
  OPENSSL_free(utf8);
  return name;
}

std::string spkiSha256Of(const X509* certificate) {
  unsigned char* der = nullptr;
  const int length = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);
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

Identity identityOf(const SSL* ssl) {
  Identity identity;
  if (X509* certificate = SSL_get0_peer_certificate(ssl); certificate != nullptr) {
    if (SSL_get_verify_result(ssl) != X509_V_OK) return identity;
    identity.kind = Identity::Kind::kCertificate;
    identity.dnsNames = dnsNamesOf(certificate);
    identity.subject = commonNameOf(certificate);
    identity.spkiSha256 = spkiSha256Of(certificate);
  } else if (const char* psk = SSL_get_psk_identity(ssl); psk != nullptr && *psk != '\0') {
    identity.kind = Identity::Kind::kPsk;
    identity.pskIdentity = psk;
  }
  return identity;
}

}  // namespace breakwater
