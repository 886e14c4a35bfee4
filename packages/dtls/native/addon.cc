#include <node_api.h>

#include "node-endpoint.h"

NAPI_MODULE_INIT() {
  breakwater::NodeEndpoint::define(env, exports);
  return exports;
}
