#include "resumption-rules.h"

#include <openssl/x509_vfy.h>

#include "raw-key.h"
#include "security-context.h"

namespace breakwater {
namespace {

Digester& add(Digester& digester, const std::string& text) { return digester.add(text.data(), text.size()); }

ShortDigest digestOfKey(const std::string& identity, const std::vector<uint8_t>& key) {
  Digester digester;
  return add(digester, identity).add(key.data(), key.size()).result();
}

}  // namespace

void ResumptionRules::build(const SecurityOptions& options, SSL_CTX* context, uint64_t listsGoodUntil) {
  context_ = context;
  server_ = options.server;
  listsGoodUntil_ = listsGoodUntil;
  rawKeys_ = options.rawKey.peerKeys;
  Digester own;
  add(own, options.certificate.certificate);
  add(own, options.rawKey.privateKey);
  // A server's own keys are many, and each counts for itself.
  if (!server_) add(own, options.pskIdentity).add(options.pskKey.data(), options.pskKey.size());
  own_ = own.result();
  Digester authorities;
  add(authorities, options.certificate.trustAnchors);
  add(authorities, options.certificate.crl);
  authorities_ = authorities.result();
  for (const auto& [identity, key] : options.preSharedKeys)
    keys_.insert(keysByIdentity_[identity] = digestOfKey(identity, key));
  if (!options.pskIdentity.empty())
    keys_.insert(keysByIdentity_[options.pskIdentity] = digestOfKey(options.pskIdentity, options.pskKey));
}

bool ResumptionRules::provenanceOf(const SSL* ssl, Provenance& out) const {
  out = {};
  out.own = own_;
  if (SSL_get0_peer_certificate(ssl) != nullptr) {
    out.kind = Provenance::Kind::kCertificate;
    out.grounds = authorities_;
    out.goodUntil = firstExpiryOf(ssl);
    return true;
  }
  if (rawKeyOf(ssl) != nullptr) {
    out.kind = Provenance::Kind::kRawKey;
    return true;
  }
  const char* identity = SSL_get_psk_identity(ssl);
  const auto found = keysByIdentity_.find(identity == nullptr ? "" : identity);
  if (found == keysByIdentity_.end()) return false;
  out.kind = Provenance::Kind::kPsk;
  out.grounds = found->second;
  return true;
}

bool ResumptionRules::honours(const Provenance& provenance, SSL_SESSION* session, uint64_t now) const {
  if (provenance.own != own_ || now >= provenance.goodUntil) return false;
  switch (provenance.kind) {
    case Provenance::Kind::kCertificate:
      return stillCertified(provenance, session, now);
    case Provenance::Kind::kRawKey:
      return isListed(rawKeys_, rawKeyOf(session));
    case Provenance::Kind::kPsk:
      return keys_.contains(provenance.grounds);
  }
  return false;
}

/**
 * With the same trust anchors and lists, all that can have changed is the time. With others the certificate is verified
 * again; the intermediates that came with it are not in the session, so one that needs them comes by a full handshake.
 */
bool ResumptionRules::stillCertified(const Provenance& provenance, SSL_SESSION* session, uint64_t now) const {
  X509* certificate = SSL_SESSION_get0_peer(session);
  if (certificate == nullptr || now >= listsGoodUntil_) return false;
  if (provenance.grounds == authorities_) return true;
  X509_STORE_CTX* verification = X509_STORE_CTX_new();
  const bool good = X509_STORE_CTX_init(verification, SSL_CTX_get_cert_store(context_), certificate, nullptr) == 1 &&
                    X509_STORE_CTX_set_default(verification, server_ ? "ssl_client" : "ssl_server") == 1 &&
                    (X509_STORE_CTX_set_verify_cb(verification, SSL_CTX_get_verify_callback(context_)),
                     X509_verify_cert(verification) == 1);
  X509_STORE_CTX_free(verification);
  return good;
}

}  // namespace breakwater
