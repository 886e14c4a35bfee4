#pragma once

#include <openssl/ssl.h>

#include <deque>
#include <string>
#include <unordered_map>

#include "address.h"

namespace breakwater {

/**
 * Sessions that a client may resume (RFC 9132 §7.1, RFC 5077), by server. The state is with us; the server keeps none.
 * Bounded: the oldest is forgotten first.
 */
class SessionCache {
 public:
  SessionCache() = default;
  ~SessionCache();
  SessionCache(const SessionCache&) = delete;
  SessionCache& operator=(const SessionCache&) = delete;

  /** Takes over `session`, which may be null. */
  void remember(const Address& server, const std::string& name, SSL_SESSION* session);
  void forget(const Address& server, const std::string& name);
  /** Still ours; null when there is none that is good yet. */
  SSL_SESSION* find(const Address& server, const std::string& name) const;

 private:
  static constexpr size_t kMost = 256;

  std::unordered_map<std::string, SSL_SESSION*> sessions_;
  std::deque<std::string> order_;
};

}  // namespace breakwater
