#pragma once

#include <cstdint>

namespace breakwater {

/** Names a peer in the whole process; never given twice. Exact as a double up to 2^53. */
using PeerId = uint64_t;

/** How an established session ended. */
enum class End : uint8_t { kCloseNotify, kAlert, kReplaced, kLocal };

/** Why a handshake came to nothing. */
enum class Failure : uint8_t {
  kTimeout,
  kPeerAlert,
  kCertificateRefused,
  kNameMismatch,
  kNoSharedKey,
  kProtocol,
  kLimit,
  kLocal
};

/** The words of the TypeScript interface. */
const char* nameOf(End end);
const char* nameOf(Failure failure);

}  // namespace breakwater
