#pragma once

#include <node_api.h>

namespace breakwater {

napi_value openEcho(napi_env env, napi_callback_info info);
napi_value serveEcho(napi_env env, napi_callback_info info);

}  // namespace breakwater
