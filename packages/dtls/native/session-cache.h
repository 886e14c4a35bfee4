#pragma once

#include <openssl/ssl.h>

#include <deque>
#include <set>
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

/** What a session that is offered rests on, which holds for the one that comes of it, too. */
struct Origin {
  Provenance provenance;
  /** Seconds since 1970. */
  uint64_t goodUntil = 0;
};

/**
 * Sessions that a client may resume (RFC 9132 §7.1, RFC 5077), by address of the server and its name. The state is with us;
 * the server keeps none. `now` is in seconds since 1970. Bounded: the oldest is forgotten first. A session that was resumed
 * stays as old as the full handshake that it comes of.
 *
 * A server is one that has proved its name to us, not an address: what was got at one of its addresses is offered at the
 * others, too, until one of them does not like that. Whoever else is there cannot open the ticket, and has to prove the
 * name by a full handshake.
 */
class SessionCache {
 public:
  SessionCache() = default;
  ~SessionCache();
  SessionCache(const SessionCache&) = delete;
  SessionCache& operator=(const SessionCache&) = delete;

  /**
   * Takes over `session`, which may be null. `origin`: the full handshake, with an end of life that is set here; or, of a
   * session that was `resumed`, what `find` said of the one that was offered.
   * @param longestTicket A longer one would make a ClientHello that no server reads, as it must come in one datagram.
   * @returns false when the session is one, and is of no use.
   */
  bool remember(const Address& server, const std::string& name, SSL_SESSION* session, bool resumed,
                Origin origin, size_t longestTicket, uint64_t now);
  /** The server did not like what it was offered here: neither that nor what it gave elsewhere is offered here again. */
  void refused(const Address& server, const std::string& name);
  /**
   * Still ours; null when there is none that is good yet by these rules. The address's own, else the one of the same name
   * that is good for longest.
   */
  SSL_SESSION* find(const Address& server, const std::string& name, const ResumptionRules& rules, size_t longestTicket,
                    uint64_t now, Origin& origin) const;

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
    Origin origin;
  };

  void enter(const std::string& key, Entry entry);
  void forget(const std::string& key);

  std::unordered_map<std::string, Entry> sessions_;
  std::deque<std::string> order_;
  /** Where only what was got there is offered. */
  std::set<std::string> wary_;
};

}  // namespace breakwater
