#pragma once

#include <openssl/ssl.h>

#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "provenance.h"

namespace breakwater {

struct SecurityOptions;

/**
 * Which sessions may be resumed with some credentials: those of a peer whom they would let in now. Revoked, expired, no
 * longer trusted or with another key, a peer has to begin anew, and is refused then.
 */
class ResumptionRules {
 public:
  /** `context` has the trust anchors and must outlive this; `listsGoodUntil`: seconds, as in `Provenance`. */
  void build(const SecurityOptions& options, SSL_CTX* context, uint64_t listsGoodUntil);

  /** What a full handshake that has just finished, or is about to, rests on. False: on nothing that we know. */
  bool provenanceOf(const SSL* ssl, Provenance& out) const;
  /** `now`: seconds, like the times in `Provenance`. */
  bool honours(const Provenance& provenance, SSL_SESSION* session, uint64_t now) const;

 private:
  bool stillCertified(const Provenance& provenance, SSL_SESSION* session, uint64_t now) const;

  SSL_CTX* context_ = nullptr;
  bool server_ = false;
  ShortDigest own_{};
  ShortDigest authorities_{};
  uint64_t listsGoodUntil_ = UINT64_MAX;
  std::unordered_map<std::string, ShortDigest> keysByIdentity_;
  std::set<ShortDigest> keys_;
  std::vector<std::string> rawKeys_;
};

}  // namespace breakwater
