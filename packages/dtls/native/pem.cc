#include "pem.h"

#include <openssl/err.h>
#include <openssl/pem.h>

namespace breakwater {
namespace {

int noPassword(char*, int, int, void*) { return -1; }

}  // namespace

CertificateList::CertificateList(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  while (X509* certificate = PEM_read_bio_X509(bio, nullptr, noPassword, nullptr))
    certificates_.push_back(certificate);
  BIO_free(bio);
  const bool atEnd = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  sound_ = !certificates_.empty() && atEnd;
  if (atEnd) ERR_clear_error();
}

CertificateList::~CertificateList() {
  for (X509* certificate : certificates_) X509_free(certificate);
}

RevocationLists::RevocationLists(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  while (X509_CRL* list = PEM_read_bio_X509_CRL(bio, nullptr, noPassword, nullptr)) lists_.push_back(list);
  BIO_free(bio);
  const bool atEnd = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  sound_ = !lists_.empty() && atEnd;
  if (atEnd) ERR_clear_error();
}

RevocationLists::~RevocationLists() {
  for (X509_CRL* list : lists_) X509_CRL_free(list);
}

EVP_PKEY* readPrivateKey(const std::string& pem) {
  BIO* bio = BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()));
  EVP_PKEY* key = PEM_read_bio_PrivateKey(bio, nullptr, noPassword, nullptr);
  BIO_free(bio);
  return key;
}

}  // namespace breakwater
