// Credentials and cipher suites of one endpoint, as an SSL_CTX.
#pragma once

#include <openssl/ssl.h>

#include <string>
#include <unordered_map>
#include <vector>

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
  /** Server: identity → key. */
  std::unordered_map<std::string, std::vector<uint8_t>> preSharedKeys;
  /** Client with a pre-shared key; empty: with a certificate. */
  std::string pskIdentity;
  std::vector<uint8_t> pskKey;
};

/** RFC 7525 §3.4: ticket keys are changed regularly, because whoever has them reads all sessions that were resumed. */
constexpr uint64_t kTicketKeyLifetimeMs = 12ull * 3600 * 1000;
/** When new keys could not be had, the old ones serve on until the next attempt. */
constexpr uint64_t kTicketKeyRetryMs = 60ull * 1000;

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
  /** Gives session tickets new keys when their time has come. Old tickets then lead to a full handshake. */
  void rotateTicketKeys(uint64_t nowMs);
  void setCookieSource(CookieSource* source) { cookies_ = source; }
  SSL_CTX* native() const { return context_; }
  bool server() const { return options_.server; }

 private:
  bool useCertificate(CredentialProblem& problem);
  bool useTrustAnchors(CredentialProblem& problem);
  bool useRevocationLists(CredentialProblem& problem);
  bool useCipherSuites(CredentialProblem& problem);
  void installCallbacks();

  static int forgiveAnchor(int good, X509_STORE_CTX* verification);
  /** Null when the credentials have been replaced and no handshake needs them any more. */
  static SecurityContext* of(SSL* ssl);
  static int makeCookie(SSL* ssl, unsigned char* cookie, unsigned int* length);
  static int checkCookie(SSL* ssl, const unsigned char* cookie, unsigned int length);
  static unsigned int findKey(SSL* ssl, const char* identity, unsigned char* key, unsigned int capacity);
  static unsigned int presentKey(SSL* ssl, const char* hint, char* identity, unsigned int identityCapacity,
                                 unsigned char* key, unsigned int keyCapacity);

  SecurityOptions options_;
  SSL_CTX* context_ = nullptr;
  CookieSource* cookies_ = nullptr;
  uint64_t ticketKeysUntilMs_ = 0;
};

}  // namespace breakwater
