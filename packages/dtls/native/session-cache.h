#pragma once

#include <openssl/ssl.h>

#include <deque>
#include <string>
#include <unordered_map>
#include <vector>

#include "address.h"
#include "resumption-rules.h"
#include "ticket-keys.h"

namespace breakwater {

/** A session on its way to the next endpoint, or from the last one. */
struct KeptSession {
  Address server;
  std::string name;
  std::vector<uint8_t> state;
  /** Seconds since 1970. */
  uint64_t goodUntil = 0;
};

/**
 * Sessions that a client may resume (RFC 9132 §7.1, RFC 5077), by server. The state is with us; the server keeps none.
 * `now` is in seconds since 1970. Bounded: the oldest is forgotten first. A session that was resumed stays as old as the full handshake that it comes of.
 */
class SessionCache {
 public:
  SessionCache() = default;
  ~SessionCache();
  SessionCache(const SessionCache&) = delete;
  SessionCache& operator=(const SessionCache&) = delete;

  /**
   * Takes over `session`, which may be null; `resumed`: it came of the one that is here, and rests on the same.
   * @param longestTicket A longer one would make a ClientHello that no server reads, as it must come in one datagram.
   * @returns false when the session is one, and is of no use.
   */
  bool remember(const Address& server, const std::string& name, SSL_SESSION* session, bool resumed,
                const Provenance& provenance, size_t longestTicket, uint64_t now);
  void forget(const Address& server, const std::string& name);
  /** Still ours; null when there is none that is good yet by these rules. */
  SSL_SESSION* find(const Address& server, const std::string& name, const ResumptionRules& rules, uint64_t now) const;

  /** Takes what another cache has given away; false when it is damaged, too old, or not for this server and name. */
  bool take(const KeptSession& kept, uint64_t now);
  /** All that are good by the calendar. Secret. */
  std::vector<KeptSession> give(uint64_t now) const;

 private:
  static constexpr size_t kMost = 256;

  struct Entry {
    Address server;
    std::string name;
    SSL_SESSION* session;
    Provenance provenance;
    /** Seconds since 1970. */
    uint64_t goodUntil;
  };

  void enter(const std::string& key, Entry entry);

  std::unordered_map<std::string, Entry> sessions_;
  std::deque<std::string> order_;
};

}  // namespace breakwater
