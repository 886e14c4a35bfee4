#pragma once

#include <openssl/ssl.h>

#include <deque>
#include <string>
#include <unordered_map>

#include "address.h"

namespace breakwater {

/** RFC 5246 §F.1.4 suggests 24 hours at most. OpenSSL has no limit at a client, and nobody looks at a certificate then. */
constexpr uint64_t kSessionLifetimeMs = 24ull * 3600 * 1000;

/**
 * Sessions that a client may resume (RFC 9132 §7.1, RFC 5077), by server. The state is with us; the server keeps none.
 * Bounded: the oldest is forgotten first. A session that was resumed stays as old as the full handshake that it comes of.
 */
class SessionCache {
 public:
  SessionCache() = default;
  ~SessionCache();
  SessionCache(const SessionCache&) = delete;
  SessionCache& operator=(const SessionCache&) = delete;

  /** Takes over `session`, which may be null; `resumed`: it came of the one that is here. */
  void remember(const Address& server, const std::string& name, SSL_SESSION* session, bool resumed, uint64_t nowMs);
  void forget(const Address& server, const std::string& name);
  void clear();
  /** Still ours; null when there is none that is good yet. */
  SSL_SESSION* find(const Address& server, const std::string& name, uint64_t nowMs) const;

 private:
  static constexpr size_t kMost = 256;

  struct Entry {
    SSL_SESSION* session;
    uint64_t untilMs;
  };

  std::unordered_map<std::string, Entry> sessions_;
  std::deque<std::string> order_;
};

}  // namespace breakwater
