// Addresses and paths as the endpoint sees them: plain bytes, comparable and hashable, free of sockaddr.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstddef>
#include <cstdint>

#include "random-source.h"

namespace breakwater {

struct Address {
  /** 4, 6, or 0 for none. */
  uint8_t family = 0;
  uint16_t port = 0;
  /** Interface index of an IPv6 link-local address, else 0. */
  uint32_t scope = 0;
  /** Network byte order; IPv4 uses the first four. */
  std::array<uint8_t, 16> bytes{};

  bool operator==(const Address&) const = default;
  bool isWildcard() const { return bytes == std::array<uint8_t, 16>{}; }
  bool isLinkLocal() const { return family == 6 && bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80; }
};

/** Where a datagram came from or goes to, and by which of our addresses. */
struct Path {
  Address local;
  Address remote;
  /** Index of the interface that it arrived on; 0: unknown. Not part of what identifies a peer. */
  uint32_t interface = 0;
};

/** What identifies a peer: both ends, because a host with several addresses answers from the one that was asked. */
struct PathKey {
  Address local;
  Address remote;

  explicit PathKey(const Path& path) : local(path.local), remote(path.remote) {}
  bool operator==(const PathKey&) const = default;
};

/** Whom limits count as one: an IPv4 address, an IPv6 /64; a host has all the ports and addresses of either. */
PathKey sourceOf(const Address& remote);

/** Seeded once per process: whoever can choose many addresses must not be able to choose their buckets. */
struct PathKeyHash {
  /** Draws the seed unless there is one. False when there is no randomness: then nothing may be hashed yet. */
  static bool prepare(RandomSource random);
  size_t operator()(const PathKey& key) const;
};

Address fromSockaddr(const sockaddr_storage& from);
/** Returns the length of the socket address. */
socklen_t toSockaddr(const Address& from, sockaddr_storage& to);

}  // namespace breakwater
