// What ICMP messages and this host say of datagrams that a socket has sent (RFC 792, RFC 4443), from its error queue.
#pragma once

#include <cstdint>
#include <optional>

#include "address.h"

namespace breakwater {

/** Anybody can have said it: a reason to look at a path, and never one to leave it (RFC 7252 §4.2). */
struct PathError {
  enum class Kind : uint8_t { kUnreachable, kPortUnreachable, kTooBig };

  Kind kind;
  /** This host says so itself, not an ICMP message. */
  bool isLocal = false;
  /** Where the datagram was to go. */
  Address remote;
  /** `kTooBig`: what the next link carries, in bytes, headers included; 0: it is not said. */
  uint32_t mtu = 0;
};

/** The words of the TypeScript interface. */
const char* nameOf(PathError::Kind kind);

/** Has the kernel keep errors for `takeQueuedError` (IP_RECVERR, IPV6_RECVERR). Returns 0 or an errno. */
int enableErrorQueue(int descriptor, uint8_t family);

/**
 * Takes one entry off the error queue. False: there is none. `error` stays empty where the entry says nothing of a path: Source
 * Quench, Time Exceeded (RFC 7252 §4.2: SHOULD be ignored), Parameter Problem, what is not about a datagram.
 */
bool takeQueuedError(int descriptor, std::optional<PathError>& error);

}  // namespace breakwater
