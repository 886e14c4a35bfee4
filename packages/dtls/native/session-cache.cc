#include "session-cache.h"

#include <openssl/err.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "big-endian.h"

namespace breakwater {
namespace {

/** State: these four bytes, digest of all the rest with server and name, end of life, provenance, session in DER. */
constexpr uint8_t kStateFormat[] = {'B', 'W', 'S', 1};
constexpr size_t kDigestAt = sizeof kStateFormat;
constexpr size_t kGoodUntilAt = kDigestAt + sizeof(ShortDigest);
constexpr size_t kProvenanceAt = kGoodUntilAt + 8;
constexpr size_t kSessionAt = kProvenanceAt + Provenance::kBytes;
/** Certificate of the server and ticket, both of which we bound elsewhere. */
constexpr size_t kLongestState = 64 * 1024;

/** A session counts only for the very name that was checked when it was made. */
std::string keyOf(const Address& server, const std::string& name) {
  std::string key(reinterpret_cast<const char*>(server.bytes.data()), server.bytes.size());
  key.push_back(static_cast<char>(server.family));
  key.push_back(static_cast<char>(server.port >> 8));
  key.push_back(static_cast<char>(server.port & 255));
  // Not its scope: interfaces have other numbers after a restart, and whose ticket it is the server knows.
  return key + name;
}

/** Against mistakes, not against malice: whoever can write a session can as well read one. */
ShortDigest digestOf(const KeptSession& kept) {
  const std::string key = keyOf(kept.server, kept.name);
  const std::vector<uint8_t>& state = kept.state;
  return Digester().add(key.data(), key.size()).add(state.data() + kGoodUntilAt, state.size() - kGoodUntilAt).result();
}

/** Seconds that a ticket is good: what the server says, and never longer than ours would be. */
uint64_t lifetimeOf(const SSL_SESSION* session) {
  const uint64_t hint = SSL_SESSION_get_ticket_lifetime_hint(session);
  const uint64_t longest = kTicketLifetimeMs / 1000;
  return hint == 0 ? longest : std::min(hint, longest);
}

size_t ticketLengthOf(const SSL_SESSION* session) {
  size_t length = 0;
  SSL_SESSION_get0_ticket(session, nullptr, &length);
  return length;
}

}  // namespace

SessionCache::~SessionCache() {
  for (auto& [key, entry] : sessions_) SSL_SESSION_free(entry.session);
}

bool SessionCache::remember(const Address& server, const std::string& name, SSL_SESSION* session, bool resumed,
                            Origin origin, size_t longestTicket, uint64_t now) {
  const std::string key = keyOf(server, name);
  if (session != nullptr && !resumed) origin.goodUntil = now + lifetimeOf(session);
  forget(key);
  if (session == nullptr) return true;
  if (SSL_SESSION_is_resumable(session) != 1 || ticketLengthOf(session) > longestTicket)
    return SSL_SESSION_free(session), false;
  enter(key, {server, name, session, origin});
  return true;
}

void SessionCache::enter(const std::string& key, Entry entry) {
  sessions_.emplace(key, std::move(entry));
  order_.push_back(key);
  if (order_.size() <= kMost) return;
  const auto oldest = sessions_.find(order_.front());
  SSL_SESSION_free(oldest->second.session);
  sessions_.erase(oldest);
  order_.pop_front();
}

void SessionCache::refused(const Address& server, const std::string& name) {
  const std::string key = keyOf(server, name);
  forget(key);
  // Who is told to be wary everywhere forgets where: it costs a handshake that fails.
  if (wary_.size() >= kMost) wary_.clear();
  wary_.insert(key);
}

void SessionCache::forget(const std::string& key) {
  const auto found = sessions_.find(key);
  if (found == sessions_.end()) return;
  SSL_SESSION_free(found->second.session);
  sessions_.erase(found);
  order_.erase(std::find(order_.begin(), order_.end(), key));
}

SSL_SESSION* SessionCache::find(const Address& server, const std::string& name, const ResumptionRules& rules,
                                size_t longestTicket, uint64_t now, Origin& origin) const {
  const auto isGood = [&](const Entry& entry) {
    return now < entry.origin.goodUntil && ticketLengthOf(entry.session) <= longestTicket &&
           rules.honours(entry.origin.provenance, entry.session, now);
  };
  const std::string own = keyOf(server, name);
  const auto found = sessions_.find(own);
  const Entry* best = found != sessions_.end() && isGood(found->second) ? &found->second : nullptr;
  if (best == nullptr && wary_.count(own) == 0)
    for (const auto& [key, entry] : sessions_)
      if (entry.name == name && (best == nullptr || entry.origin.goodUntil > best->origin.goodUntil) && isGood(entry))
        best = &entry;
  if (best == nullptr) return nullptr;
  origin = best->origin;
  return best->session;
}

bool SessionCache::take(const KeptSession& kept, uint64_t now) {
  const std::vector<uint8_t>& state = kept.state;
  if (state.size() <= kSessionAt || state.size() > kLongestState) return false;
  const ShortDigest digest = digestOf(kept);
  if (std::memcmp(state.data(), kStateFormat, sizeof kStateFormat) != 0) return false;
  if (std::memcmp(state.data() + kDigestAt, digest.data(), digest.size()) != 0) return false;
  Entry entry{kept.server, kept.name, nullptr, {{}, readBigEndian(state.data() + kGoodUntilAt, 8)}};
  // A clock that went back must not make a session live longer than any may.
  if (entry.origin.goodUntil <= now || entry.origin.goodUntil > now + kTicketLifetimeMs / 1000) return false;
  if (!Provenance::read(state.data() + kProvenanceAt, Provenance::kBytes, entry.origin.provenance)) return false;
  const unsigned char* der = state.data() + kSessionAt;
  entry.session = d2i_SSL_SESSION(nullptr, &der, static_cast<long>(state.size() - kSessionAt));
  ERR_clear_error();
  if (entry.session == nullptr) return false;
  if (der != state.data() + state.size() || SSL_SESSION_is_resumable(entry.session) != 1)
    return SSL_SESSION_free(entry.session), false;
  const std::string key = keyOf(kept.server, kept.name);
  forget(key);
  enter(key, std::move(entry));
  return true;
}

std::vector<KeptSession> SessionCache::give(uint64_t now) const {
  std::vector<KeptSession> all;
  for (const auto& [key, entry] : sessions_) {
    const int length = i2d_SSL_SESSION(entry.session, nullptr);
    const auto& [provenance, goodUntil] = entry.origin;
    if (length <= 0 || now >= goodUntil) continue;
    KeptSession kept{entry.server, entry.name, std::vector<uint8_t>(kSessionAt + static_cast<size_t>(length)), goodUntil};
    uint8_t* const state = kept.state.data();
    std::memcpy(state, kStateFormat, sizeof kStateFormat);
    writeBigEndian(state + kGoodUntilAt, goodUntil, 8);
    provenance.write(state + kProvenanceAt);
    unsigned char* der = state + kSessionAt;
    i2d_SSL_SESSION(entry.session, &der);
    const ShortDigest digest = digestOf(kept);
    std::memcpy(state + kDigestAt, digest.data(), digest.size());
    all.push_back(std::move(kept));
  }
  return all;
}

}  // namespace breakwater
