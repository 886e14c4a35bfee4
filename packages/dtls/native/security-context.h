// Credentials and cipher suites of one endpoint, as an SSL_CTX.
#pragma once

#include <openssl/ssl.h>

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "counters.h"
#include "raw-key.h"
#include "resumption-rules.h"
#include "ticket-keys.h"

namespace breakwater {

struct CertificateSource {
  /** PEM: ours, then intermediates. */
  std::string certificate;
  std::string privateKey;
  std::string trustAnchors;
  /** Empty: nobody asks whether a certificate was revoked. */
  std::string crl;
  bool present = false;
};

struct SecurityOptions {
  bool server = false;
  CertificateSource certificate;
  RawKeySource rawKey;
  /** Client: a certificate may be for this service at the host, too (SRV-ID). */
  std::string serviceName;
  /** Server: identity → key. */
  std::unordered_map<std::string, std::vector<uint8_t>> preSharedKeys;
  /** Offer also, last of all, what RFC 7252 §9.1.3 has every CoAP node implement: plain PSK and CCM_8. */
  bool constrainedPeers = false;
  /** Client with a pre-shared key; empty: with a certificate. */
  std::string pskIdentity;
  std::vector<uint8_t> pskKey;
};

/** Why an engine does not start: `kind` as in `NativeProblem` of TypeScript, which field, and why in words. */
struct CredentialProblem {
  const char* kind = "credentials";
  const char* field = nullptr;
  std::string message;
};

/** Makes and checks cookies for the ClientHello that is being looked at. */
class CookieSource {
 public:
  /** The length; 0 when there is no cookie to be had. */
  virtual size_t make(uint8_t* out) = 0;
  virtual bool check(const uint8_t* cookie, size_t length) = 0;

 protected:
  ~CookieSource() = default;
};

class SecurityContext {
 public:
  SecurityContext() = default;
  ~SecurityContext();
  SecurityContext(const SecurityContext&) = delete;
  SecurityContext& operator=(const SecurityContext&) = delete;

  /** False: see `problem`. */
  bool build(SecurityOptions options, CredentialProblem& problem);
  /** Server: seals tickets with these keys, and counts those that it does not take. The other two must outlive all handshakes. */
  void useTickets(std::shared_ptr<TicketKeys> keys, Counters& counters, const Calendar& calendar);
  const ResumptionRules& resumption() const { return resumption_; }
  const SecurityOptions& options() const { return options_; }
  void setCookieSource(CookieSource* source) { cookies_ = source; }
  SSL_CTX* native() const { return context_; }
  bool server() const { return options_.server; }

 private:
  bool useOwnKey(const std::string& pem, const char* field, CredentialProblem& problem);
  bool useRawKey(CredentialProblem& problem);
  bool useCertificate(CredentialProblem& problem);
  bool useTrustAnchors(CredentialProblem& problem);
  bool useRevocationLists(CredentialProblem& problem);
  bool useCipherSuites(CredentialProblem& problem);
  void installCallbacks();

  static int allow(const SSL* ssl, const SSL_CTX* context, int operation, int bits, int nid, void* other, void* extra);
  static int judge(int good, X509_STORE_CTX* verification);
  /** Null when the credentials have been replaced and no handshake needs them any more. */
  static SecurityContext* of(SSL* ssl);
  static int ticketKey(SSL* ssl, unsigned char* name, unsigned char* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac,
                       int sealing);
  static int signTicket(SSL* ssl, void*);
  static SSL_TICKET_RETURN judgeTicket(SSL* ssl, SSL_SESSION* session, const unsigned char* name, size_t nameLength,
                                       SSL_TICKET_STATUS status, void*);
  static int makeCookie(SSL* ssl, unsigned char* cookie, unsigned int* length);
  static int checkCookie(SSL* ssl, const unsigned char* cookie, unsigned int length);
  static unsigned int findKey(SSL* ssl, const char* identity, unsigned char* key, unsigned int capacity);
  static unsigned int presentKey(SSL* ssl, const char* hint, char* identity, unsigned int identityCapacity,
                                 unsigned char* key, unsigned int keyCapacity);

  SecurityOptions options_;
  SSL_CTX* context_ = nullptr;
  CookieSource* cookies_ = nullptr;
  ResumptionRules resumption_;
  /** Seconds since 1970: when the first revocation list is out of date. */
  uint64_t listsGoodUntil_ = UINT64_MAX;
  std::shared_ptr<TicketKeys> tickets_;
  Counters* counters_ = nullptr;
  const Calendar* calendar_ = nullptr;
};

}  // namespace breakwater
