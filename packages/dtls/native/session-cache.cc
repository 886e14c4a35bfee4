#include "session-cache.h"

#include <algorithm>

namespace breakwater {
namespace {

/** A session counts only for the very name that was checked when it was made. */
std::string keyOf(const Address& server, const std::string& name) {
  std::string key(reinterpret_cast<const char*>(server.bytes.data()), server.bytes.size());
  key.push_back(static_cast<char>(server.family));
  key.push_back(static_cast<char>(server.port >> 8));
  key.push_back(static_cast<char>(server.port & 255));
  for (uint32_t shift = 0; shift < 32; shift += 8) key.push_back(static_cast<char>(server.scope >> shift & 255));
  return key + name;
}

}  // namespace

SessionCache::~SessionCache() { clear(); }

void SessionCache::clear() {
  for (auto& [key, entry] : sessions_) SSL_SESSION_free(entry.session);
  sessions_.clear();
  order_.clear();
}

void SessionCache::remember(const Address& server, const std::string& name, SSL_SESSION* session, bool resumed,
                            uint64_t nowMs) {
  const std::string key = keyOf(server, name);
  const auto earlier = sessions_.find(key);
  // A resumed session that is not here any more was forgotten meanwhile: it has no age.
  const uint64_t untilMs = !resumed ? nowMs + kSessionLifetimeMs : earlier == sessions_.end() ? 0 : earlier->second.untilMs;
  forget(server, name);
  if (session == nullptr || SSL_SESSION_is_resumable(session) != 1) return SSL_SESSION_free(session);
  sessions_.emplace(key, Entry{session, untilMs});
  order_.push_back(key);
  if (order_.size() <= kMost) return;
  const auto oldest = sessions_.find(order_.front());
  SSL_SESSION_free(oldest->second.session);
  sessions_.erase(oldest);
  order_.pop_front();
}

void SessionCache::forget(const Address& server, const std::string& name) {
  const std::string key = keyOf(server, name);
  const auto found = sessions_.find(key);
  if (found == sessions_.end()) return;
  SSL_SESSION_free(found->second.session);
  sessions_.erase(found);
  order_.erase(std::find(order_.begin(), order_.end(), key));
}

SSL_SESSION* SessionCache::find(const Address& server, const std::string& name, uint64_t nowMs) const {
  const auto found = sessions_.find(keyOf(server, name));
  return found == sessions_.end() || nowMs >= found->second.untilMs ? nullptr : found->second.session;
}

}  // namespace breakwater
