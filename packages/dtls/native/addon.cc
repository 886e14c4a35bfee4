#include <node_api.h>

#include "bound-connect.h"
#include "memory-endpoint.h"
#include "node-endpoint.h"

NAPI_MODULE_INIT() {
  breakwater::NodeEndpoint::define(env, exports);
  breakwater::MemoryEndpoint::define(env, exports);
  breakwater::defineBoundSockets(env, exports);
  return exports;
}
