#include "security-context.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <time.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "aead.h"
#include "certificate-names.h"
#include "pem.h"

namespace breakwater {
namespace {

// RFC 9325 §4.2: only AEAD with an ephemeral exchange. AES-128 first: what RFC 7925 §4.4 and RFC 9325 §4.2 have in common.
constexpr const char* kCertificateSuites =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
    "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
    "ECDHE-ECDSA-AES128-CCM";
// RFC 9132 §7.1: PSK with (EC)DHE. This is the only one of that kind with authenticated encryption that OpenSSL has.
constexpr const char* kPskSuites = "ECDHE-PSK-CHACHA20-POLY1305";
// For whoever asks for them (RFC 7252 §9.1.3, RFC 7925 §4.2): without forward secrecy, or with a tag of 8 bytes.
constexpr const char* kConstrainedCertificateSuites = "ECDHE-ECDSA-AES128-CCM8";
constexpr const char* kConstrainedPskSuites = "PSK-AES128-GCM-SHA256:PSK-AES256-GCM-SHA384:PSK-AES128-CCM:PSK-AES128-CCM8";

/**
 * Longest chain of certificates that a peer may show, in bytes. OpenSSL makes room for a message as soon as its first
 * fragment has named its length, and for ten messages ahead: with its own limit of 100 KB, anybody who answers a cookie
 * could take a megabyte for a few fragments.
 */
constexpr long kLongestChainBytes = 16 * 1024;

constexpr const char* kSignatures =
    "ecdsa_secp256r1_sha256:ecdsa_secp384r1_sha384:ed25519:rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:"
    "rsa_pkcs1_sha256:rsa_pkcs1_sha384";

/** The words of the last OpenSSL error, which is then forgotten. */
std::string lastError(const char* otherwise) {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  std::string text = reason == nullptr ? otherwise : reason;
  ERR_clear_error();
  return text;
}

/** X509_V_ERR_RPK_UNTRUSTED, which older headers lack. */
constexpr int kRawKeyUntrusted = 95;

/**
 * RFC 5280 §6.1: the trust anchor is no part of the path, so nobody has to say that it was not revoked. OpenSSL asks all
 * the same, and for an anchor that is an intermediate there is no list that we could believe.
 */
bool concernsAnchor(X509_STORE_CTX* verification) {
  const int depth = X509_STORE_CTX_get_error_depth(verification);
  return depth > 0 && depth == sk_X509_num(X509_STORE_CTX_get0_chain(verification)) - 1;
}

/** RFC 9525 §6.2: one of our reference identifiers is enough. */
bool namesOurService(X509_STORE_CTX* verification, const std::string& service) {
  const char* host = X509_VERIFY_PARAM_get0_host(X509_STORE_CTX_get0_param(verification), 0);
  const X509* certificate = X509_STORE_CTX_get0_cert(verification);
  return host != nullptr && namesService(certificate, X509_STORE_CTX_get0_chain(verification), service, host);
}

bool fault(CredentialProblem& problem, const char* field, std::string message) {
  problem.field = field;
  problem.message = static_cast<std::string&&>(message);
  return false;
}

}  // namespace

SecurityContext::~SecurityContext() {
  // Established sessions keep OpenSSL's part alive, but not this one.
  if (context_ != nullptr) SSL_CTX_set_app_data(context_, nullptr);
  SSL_CTX_free(context_);
  for (auto& [identity, key] : options_.preSharedKeys) OPENSSL_cleanse(key.data(), key.size());
  OPENSSL_cleanse(options_.pskKey.data(), options_.pskKey.size());
  OPENSSL_cleanse(options_.certificate.privateKey.data(), options_.certificate.privateKey.size());
  OPENSSL_cleanse(options_.rawKey.privateKey.data(), options_.rawKey.privateKey.size());
}

bool SecurityContext::build(SecurityOptions options, CredentialProblem& problem) {
  options_ = static_cast<SecurityOptions&&>(options);
  ERR_clear_error();
  context_ = SSL_CTX_new(options_.server ? DTLS_server_method() : DTLS_client_method());
  if (context_ == nullptr) return fault(problem, "role", lastError("OpenSSL has no DTLS"));
  SSL_CTX_set_app_data(context_, this);
  // RFC 9132 §7.1: DTLS 1.2 or later.
  SSL_CTX_set_min_proto_version(context_, DTLS1_2_VERSION);
  SSL_CTX_set_security_level(context_, 2);
  SSL_CTX_set_options(context_, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                    SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_mode(context_, SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_max_cert_list(context_, kLongestChainBytes);
  SSL_CTX_set_session_cache_mode(context_, SSL_SESS_CACHE_OFF);
  // Named, so that a hybrid group never makes a ClientHello too large for one datagram: the cookie listener needs it whole.
  SSL_CTX_set1_groups_list(context_, "P-256:X25519:P-384");
  SSL_CTX_set1_sigalgs_list(context_, kSignatures);
  static constexpr unsigned char kSessionScope[] = "dots";
  SSL_CTX_set_session_id_context(context_, kSessionScope, sizeof kSessionScope - 1);
  // RFC 9325 §3.4: no session is resumed for ever; the ticket says so to the client, too.
  SSL_CTX_set_timeout(context_, static_cast<long>(kTicketLifetimeMs / 1000));
  if (options_.certificate.present && !(useCertificate(problem) && useTrustAnchors(problem) && useRevocationLists(problem)))
    return false;
  if (options_.rawKey.present && !useRawKey(problem)) return false;
  if (!useCipherSuites(problem)) return false;
  if (options_.certificate.present || options_.rawKey.present)
    SSL_CTX_set_verify(context_, SSL_VERIFY_PEER | (options_.server ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), judge);
  installCallbacks();
  resumption_.build(options_, context_, listsGoodUntil_);
  return true;
}

bool SecurityContext::useCertificate(CredentialProblem& problem) {
  const CertificateList chain(options_.certificate.certificate);
  if (!chain.sound()) return fault(problem, "certificate", lastError("not a PEM certificate"));
  if (SSL_CTX_use_certificate(context_, chain.at(0)) != 1)
    return fault(problem, "certificate", lastError("unusable certificate"));
  for (size_t i = 1; i < chain.size(); i++)
    if (SSL_CTX_add1_chain_cert(context_, chain.at(i)) != 1)
      return fault(problem, "certificate", lastError("unusable intermediate certificate"));
  return useOwnKey(options_.certificate.privateKey, "privateKey", problem);
}

/** With a certificate it must be the key of that: OpenSSL shows one key in either dress. */
bool SecurityContext::useOwnKey(const std::string& pem, const char* field, CredentialProblem& problem) {
  EVP_PKEY* key = readPrivateKey(pem);
  if (key == nullptr) return fault(problem, field, lastError("not an unencrypted PEM private key"));
  const bool used = SSL_CTX_use_PrivateKey(context_, key) == 1 &&
                    (!options_.certificate.present || SSL_CTX_check_private_key(context_) == 1);
  EVP_PKEY_free(key);
  return used || fault(problem, field, lastError("does not belong to the certificate"));
}

bool SecurityContext::useRawKey(CredentialProblem& problem) {
  if (!useOwnKey(options_.rawKey.privateKey, "rawPublicKey.privateKey", problem)) return false;
  // RFC 7252 §9.1.3.2: the key must be ECDSA capable, and P-256 is what everybody has.
  EVP_PKEY* key = SSL_CTX_get0_privatekey(context_);
  if (EVP_PKEY_get_base_id(key) != EVP_PKEY_EC) return fault(problem, "rawPublicKey.privateKey", "not a key for ECDSA");
  if (options_.rawKey.peerKeys.empty()) return fault(problem, "rawPublicKey.peerKeys", "no key of a peer");
  return useCertificateTypes(context_, true, options_.certificate.present) ||
         fault(problem, "rawPublicKey", lastError("this OpenSSL has no raw public keys"));
}

bool SecurityContext::useTrustAnchors(CredentialProblem& problem) {
  const CertificateList anchors(options_.certificate.trustAnchors);
  if (!anchors.sound()) return fault(problem, "trustAnchors", lastError("no PEM certificate"));
  X509_STORE* store = SSL_CTX_get_cert_store(context_);
  for (size_t i = 0; i < anchors.size(); i++) {
    if (X509_STORE_add_cert(store, anchors.at(i)) != 1)
      return fault(problem, "trustAnchors", lastError("unusable certificate"));
    if (options_.server) SSL_CTX_add_client_CA(context_, anchors.at(i));
  }
  // RFC 5280 §6.1: an anchor need not be self-signed; an operator may trust one intermediate of a provider.
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);
  return true;
}

/**
 * RFC 5280 §6.3.3: when no current list says so, the status of a certificate is undetermined; here that is a refusal. So
 * a list that is out of date already stops the opening, and one that goes out of date later stops new handshakes.
 */
bool SecurityContext::useRevocationLists(CredentialProblem& problem) {
  if (options_.certificate.crl.empty()) return true;
  const RevocationLists lists(options_.certificate.crl);
  if (!lists.sound()) return fault(problem, "crl", lastError("no PEM certificate revocation list"));
  X509_STORE* store = SSL_CTX_get_cert_store(context_);
  for (X509_CRL* list : lists.all()) {
    // RFC 5280 §5.1.2.5 requires nextUpdate; without it a list would be good for ever.
    const ASN1_TIME* next = X509_CRL_get0_nextUpdate(list);
    if (next == nullptr) return fault(problem, "crl", "a revocation list says not when the next one comes");
    // 0 is an error; a list may not come from the future either.
    if (X509_cmp_current_time(next) <= 0 || X509_cmp_current_time(X509_CRL_get0_lastUpdate(list)) >= 0) {
      problem.kind = "crl-expired";
      return fault(problem, "crl", "a revocation list is out of date, or not yet valid");
    }
    tm until{};
    if (ASN1_TIME_to_tm(next, &until) == 1)
      listsGoodUntil_ = std::min(listsGoodUntil_, static_cast<uint64_t>(timegm(&until)));
    if (X509_STORE_add_crl(store, list) != 1) return fault(problem, "crl", lastError("unusable revocation list"));
  }
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
  return true;
}

/** What OpenSSL would refuse: a raw key, of which it knows nothing, the anchor without a list, a name of another kind. */
int SecurityContext::judge(int good, X509_STORE_CTX* verification) {
  if (good == 1) return 1;
  auto* ssl = static_cast<SSL*>(X509_STORE_CTX_get_ex_data(verification, SSL_get_ex_data_X509_STORE_CTX_idx()));
  const SecurityContext* self = ssl == nullptr ? nullptr : of(ssl);
  bool forgiven = false;
  switch (X509_STORE_CTX_get_error(verification)) {
    case kRawKeyUntrusted:
      forgiven = self != nullptr && isListed(self->options_.rawKey.peerKeys, rawKeyOf(verification));
      break;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
      forgiven = concernsAnchor(verification);
      break;
    case X509_V_ERR_HOSTNAME_MISMATCH:
      forgiven = self != nullptr && namesOurService(verification, self->options_.serviceName);
      break;
  }
  if (!forgiven) return 0;
  X509_STORE_CTX_set_error(verification, X509_V_OK);
  return 1;
}

bool SecurityContext::useCipherSuites(CredentialProblem& problem) {
  const bool keys = !options_.preSharedKeys.empty() || !options_.pskIdentity.empty();
  const bool signs = options_.certificate.present || options_.rawKey.present;
  if (!keys && !signs) return fault(problem, "credentials", "neither a certificate nor a key");
  std::string suites;
  const auto offer = [&suites](bool offered, const char* more) {
    if (offered) suites += (suites.empty() ? "" : ":") + std::string(more);
  };
  // RFC 7252 §9.1.3.3: with a peer that has both, the key goes first. A server goes by this order.
  offer(keys, kPskSuites);
  offer(signs, kCertificateSuites);
  offer(signs && options_.constrainedPeers, kConstrainedCertificateSuites);
  offer(keys && options_.constrainedPeers, kConstrainedPskSuites);
  if (options_.constrainedPeers) SSL_CTX_set_security_callback(context_, allow);
  return SSL_CTX_set_cipher_list(context_, suites.c_str()) == 1 ||
         fault(problem, "credentials", lastError("no cipher suite for these credentials"));
}

/** OpenSSL has CCM_8 only below our security level, which would let in much else: an exception for these two suites alone. */
int SecurityContext::allow(const SSL* ssl, const SSL_CTX* context, int operation, int bits, int nid, void* other,
                           void* extra) {
  const bool judgesCipher = operation == SSL_SECOP_CIPHER_SUPPORTED || operation == SSL_SECOP_CIPHER_SHARED ||
                            operation == SSL_SECOP_CIPHER_CHECK;
  if (judgesCipher && isCcm8(static_cast<const SSL_CIPHER*>(other))) return 1;
  static const auto usual = [] {
    SSL_CTX* fresh = SSL_CTX_new(DTLS_method());
    const auto callback = SSL_CTX_get_security_callback(fresh);
    SSL_CTX_free(fresh);
    return callback;
  }();
  return usual(ssl, context, operation, bits, nid, other, extra);
}

void SecurityContext::installCallbacks() {
  if (options_.server) {
    SSL_CTX_set_cookie_generate_cb(context_, makeCookie);
    SSL_CTX_set_cookie_verify_cb(context_, checkCookie);
    if (!options_.preSharedKeys.empty()) SSL_CTX_set_psk_server_callback(context_, findKey);
  } else if (!options_.pskIdentity.empty()) {
    SSL_CTX_set_psk_client_callback(context_, presentKey);
  }
}

void SecurityContext::useTickets(std::shared_ptr<TicketKeys> keys, Counters& counters, const Calendar& calendar) {
  tickets_ = std::move(keys);
  counters_ = &counters;
  calendar_ = &calendar;
  SSL_CTX_set_tlsext_ticket_key_evp_cb(context_, ticketKey);
  SSL_CTX_set_session_ticket_cb(context_, signTicket, judgeTicket, nullptr);
}

SecurityContext* SecurityContext::of(SSL* ssl) {
  return static_cast<SecurityContext*>(SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl)));
}

int SecurityContext::ticketKey(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                               int sealing) {
  const SecurityContext* self = of(ssl);
  if (self == nullptr || self->tickets_ == nullptr) return 0;
  return sealing == 1 ? self->tickets_->seal(name, iv, cipher, mac) : self->tickets_->open(name, iv, cipher, mac);
}

/** Writes down what the session rests on before it is sealed. One that was resumed keeps what it says already. */
int SecurityContext::signTicket(SSL* ssl, void*) {
  const SecurityContext* self = of(ssl);
  Provenance provenance;
  if (self == nullptr || SSL_session_reused(ssl) == 1 || !self->resumption_.provenanceOf(ssl, provenance)) return 1;
  uint8_t bytes[Provenance::kBytes];
  provenance.write(bytes);
  return SSL_SESSION_set1_ticket_appdata(SSL_get_session(ssl), bytes, sizeof bytes);
}

/** A ticket that is not taken leads to a full handshake, with a new ticket at its end. */
SSL_TICKET_RETURN SecurityContext::judgeTicket(SSL* ssl, SSL_SESSION* session, const unsigned char*, size_t,
                                               SSL_TICKET_STATUS status, void*) {
  const SecurityContext* self = of(ssl);
  if (self == nullptr || status == SSL_TICKET_EMPTY) return SSL_TICKET_RETURN_IGNORE_RENEW;
  if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) {
    self->counters_->ticketsUnknown++;
    return SSL_TICKET_RETURN_IGNORE_RENEW;
  }
  void* bytes = nullptr;
  size_t length = 0;
  Provenance provenance;
  if (SSL_SESSION_get0_ticket_appdata(session, &bytes, &length) == 1 && bytes != nullptr &&
      Provenance::read(static_cast<const uint8_t*>(bytes), length, provenance) &&
      self->resumption_.honours(provenance, session, self->calendar_->seconds()))
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
  self->counters_->ticketsRefused++;
  return SSL_TICKET_RETURN_IGNORE_RENEW;
}

int SecurityContext::makeCookie(SSL* ssl, unsigned char* cookie, unsigned int* length) {
  SecurityContext* self = of(ssl);
  if (self == nullptr || self->cookies_ == nullptr) return 0;
  *length = static_cast<unsigned int>(self->cookies_->make(cookie));
  return *length > 0 ? 1 : 0;
}

int SecurityContext::checkCookie(SSL* ssl, const unsigned char* cookie, unsigned int length) {
  SecurityContext* self = of(ssl);
  return self != nullptr && self->cookies_ != nullptr && self->cookies_->check(cookie, length) ? 1 : 0;
}

unsigned int SecurityContext::findKey(SSL* ssl, const char* identity, unsigned char* key, unsigned int capacity) {
  const SecurityContext* self = of(ssl);
  if (self == nullptr) return 0;
  const auto& keys = self->options_.preSharedKeys;
  const auto found = keys.find(identity == nullptr ? "" : identity);
  if (found == keys.end() || found->second.size() > capacity) return 0;
  std::memcpy(key, found->second.data(), found->second.size());
  return static_cast<unsigned int>(found->second.size());
}

unsigned int SecurityContext::presentKey(SSL* ssl, const char*, char* identity, unsigned int identityCapacity,
                                         unsigned char* key, unsigned int keyCapacity) {
  const SecurityContext* self = of(ssl);
  if (self == nullptr) return 0;
  const SecurityOptions& options = self->options_;
  if (options.pskIdentity.size() + 1 > identityCapacity || options.pskKey.size() > keyCapacity) return 0;
  std::memcpy(identity, options.pskIdentity.c_str(), options.pskIdentity.size() + 1);
  std::memcpy(key, options.pskKey.data(), options.pskKey.size());
  return static_cast<unsigned int>(options.pskKey.size());
}

}  // namespace breakwater
