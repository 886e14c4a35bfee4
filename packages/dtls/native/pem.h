#pragma once

#include <openssl/evp.h>
#include <openssl/x509.h>

#include <string>
#include <vector>

namespace breakwater {

/** All certificates of a PEM text. */
class CertificateList {
 public:
  explicit CertificateList(const std::string& pem);
  ~CertificateList();
  CertificateList(const CertificateList&) = delete;
  CertificateList& operator=(const CertificateList&) = delete;

  /** At least one certificate, and nothing behind them that claims to be one and is not. */
  bool sound() const { return sound_; }
  size_t size() const { return certificates_.size(); }
  X509* at(size_t index) const { return certificates_[index]; }

 private:
  std::vector<X509*> certificates_;
  bool sound_ = false;
};

/** All certificate revocation lists of a PEM text. */
class RevocationLists {
 public:
  explicit RevocationLists(const std::string& pem);
  ~RevocationLists();
  RevocationLists(const RevocationLists&) = delete;
  RevocationLists& operator=(const RevocationLists&) = delete;

  /** At least one list, and nothing behind them that claims to be one and is not. */
  bool sound() const { return sound_; }
  const std::vector<X509_CRL*>& all() const { return lists_; }

 private:
  std::vector<X509_CRL*> lists_;
  bool sound_ = false;
};

/** Null when the text is no private key or is encrypted. Never asks for a password on the terminal. */
EVP_PKEY* readPrivateKey(const std::string& pem);

}  // namespace breakwater
