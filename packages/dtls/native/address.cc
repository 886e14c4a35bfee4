#include "address.h"

#include <algorithm>
#include <atomic>
#include <cstring>

namespace breakwater {
namespace {

uint64_t mix(uint64_t state, uint64_t word) {
  const unsigned __int128 product = static_cast<unsigned __int128>(state ^ word) * 0x9e3779b97f4a7c15ull;
  return static_cast<uint64_t>(product) ^ static_cast<uint64_t>(product >> 64);
}

/** 0: not drawn yet. Endpoints of several threads share it. */
std::atomic<uint64_t> hashSeed{0};

uint64_t mixAddress(uint64_t state, const Address& address) {
  uint64_t words[2];
  std::memcpy(words, address.bytes.data(), sizeof words);
  state = mix(state, words[0]);
  state = mix(state, words[1]);
  return mix(state, (static_cast<uint64_t>(address.scope) << 24) | (address.port << 8) | address.family);
}

}  // namespace

PathKey sourceOf(const Address& remote) {
  Path source;
  source.remote = remote;
  source.remote.port = 0;
  if (remote.family == 6) std::fill(source.remote.bytes.begin() + 8, source.remote.bytes.end(), uint8_t{0});
  return PathKey(source);
}

size_t PathKeyHash::operator()(const PathKey& key) const {
  return mixAddress(mixAddress(hashSeed.load(std::memory_order_relaxed), key.remote), key.local);
}

bool PathKeyHash::prepare(RandomSource random) {
  if (hashSeed.load() != 0) return true;
  uint64_t seed = 0;
  if (!random(reinterpret_cast<uint8_t*>(&seed), sizeof seed)) return false;
  uint64_t none = 0;
  hashSeed.compare_exchange_strong(none, seed | 1);
  return true;
}

Address fromSockaddr(const sockaddr_storage& from) {
  Address to;
  if (from.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(from);
    to.family = 4;
    to.port = ntohs(v4.sin_port);
    std::memcpy(to.bytes.data(), &v4.sin_addr, 4);
  } else if (from.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(from);
    to.family = 6;
    to.port = ntohs(v6.sin6_port);
    std::memcpy(to.bytes.data(), &v6.sin6_addr, 16);
    if (to.isLinkLocal()) to.scope = v6.sin6_scope_id;
  }
  return to;
}

socklen_t toSockaddr(const Address& from, sockaddr_storage& to) {
  std::memset(&to, 0, sizeof to);
  if (from.family == 4) {
    auto& v4 = reinterpret_cast<sockaddr_in&>(to);
    v4.sin_family = AF_INET;
    v4.sin_port = htons(from.port);
    std::memcpy(&v4.sin_addr, from.bytes.data(), 4);
    return sizeof v4;
  }
  auto& v6 = reinterpret_cast<sockaddr_in6&>(to);
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(from.port);
  v6.sin6_scope_id = from.scope;
  std::memcpy(&v6.sin6_addr, from.bytes.data(), 16);
  return sizeof v6;
}

}  // namespace breakwater
