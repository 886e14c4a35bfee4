#include "certificate-names.h"

#include <openssl/x509v3.h>

#include <algorithm>

namespace breakwater {
namespace {

char lowerCase(unsigned char byte) { return static_cast<char>(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte); }

std::string lowerCase(const std::string& text) {
  std::string lower;
  for (const char each : text) lower.push_back(lowerCase(static_cast<unsigned char>(each)));
  return lower;
}

/** A DNS name has printable ASCII only; anything else could read differently to two readers. */
bool readName(const ASN1_STRING* text, std::string& name) {
  const unsigned char* bytes = ASN1_STRING_get0_data(text);
  const int length = ASN1_STRING_length(text);
  name.clear();
  for (int i = 0; i < length; i++) {
    if (bytes[i] <= 0x20 || bytes[i] >= 0x7f) return false;
    name.push_back(lowerCase(bytes[i]));
  }
  return length > 0;
}

const ASN1_STRING* dnsName(const GENERAL_NAME* name) { return name->type == GEN_DNS ? name->d.dNSName : nullptr; }

const ASN1_STRING* srvName(const GENERAL_NAME* name) {
  if (name->type != GEN_OTHERNAME || OBJ_obj2nid(name->d.otherName->type_id) != NID_SRVName) return nullptr;
  const ASN1_TYPE* value = name->d.otherName->value;
  return value != nullptr && value->type == V_ASN1_IA5STRING ? value->value.ia5string : nullptr;
}

std::vector<std::string> namesOf(const X509* certificate, const ASN1_STRING* (*pick)(const GENERAL_NAME*)) {
  std::vector<std::string> names;
  auto* all = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(all); i++) {
    const ASN1_STRING* text = pick(sk_GENERAL_NAME_value(all, i));
    std::string name;
    if (text != nullptr && readName(text, name)) names.push_back(name);
  }
  GENERAL_NAMES_free(all);
  return names;
}

}  // namespace

std::vector<std::string> dnsNamesOf(const X509* certificate) { return namesOf(certificate, dnsName); }

std::vector<std::string> srvNamesOf(const X509* certificate) { return namesOf(certificate, srvName); }

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

bool namesService(const X509* certificate, const STACK_OF(X509) * chain, const std::string& service, const std::string& host) {
  if (service.empty()) return false;
  for (int i = 1; i < sk_X509_num(chain); i++)
    if (X509_get_ext_by_NID(sk_X509_value(chain, i), NID_name_constraints, -1) >= 0) return false;
  const std::vector<std::string> names = srvNamesOf(certificate);
  return std::find(names.begin(), names.end(), lowerCase("_" + service + "." + host)) != names.end();
}

}  // namespace breakwater
