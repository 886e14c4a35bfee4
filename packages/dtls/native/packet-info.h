// Control messages that say by which local address a datagram came or has to go (RFC 3542 §6, ip(7) IP_PKTINFO).
#pragma once

#include <sys/socket.h>

#include "address.h"

namespace breakwater {

constexpr size_t kPacketInfoBytes = 64;

/** Asks the kernel for packet information on every datagram. Returns 0 or an errno. */
int enablePacketInfo(int descriptor, uint8_t family);

/** Reads the local address (without port) and the interface; false when the kernel gave none. */
bool readPacketInfo(const msghdr& message, Address& local, uint32_t& interface);

/** Writes the source address into `control`, which holds `kPacketInfoBytes`, and hangs it on the message. */
void writePacketInfo(msghdr& message, uint8_t* control, const Address& source);

}  // namespace breakwater
