// Sockets bound to a source address and to an interface, which Node's own modules cannot open.
#pragma once

#include <string>

#include "address.h"

namespace breakwater {

/**
 * Opens a non-blocking, close-on-exec socket of `type` (SOCK_DGRAM, SOCK_STREAM), bound to `local` and, when
 * `interface` is not empty, to that interface. Returns the descriptor or a negative errno.
 */
int openBoundSocket(int type, const Address& local, const std::string& interface);

/** As above, and starts to connect to `remote`. Returns the descriptor (connected or connecting) or a negative errno. */
int openConnectingSocket(const Address& local, const std::string& interface, const Address& remote);

}  // namespace breakwater
