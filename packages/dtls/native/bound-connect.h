#pragma once

#include <node_api.h>

namespace breakwater {

/**
 * Adds `boundUdp(local, interface)` and `boundTcp(local, interface, remote, timeoutMs, done)` to `exports`: sockets bound
 * to a source address and an interface, as descriptors that Node's own modules take over.
 */
void defineBoundSockets(napi_env env, napi_value exports);

}  // namespace breakwater
