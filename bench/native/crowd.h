#pragma once

#include <node_api.h>

namespace breakwater {

napi_value generateHandshakes(napi_env env, napi_callback_info info);
napi_value holdSessions(napi_env env, napi_callback_info info);

}  // namespace breakwater
