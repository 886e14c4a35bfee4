#pragma once

#include <node_api.h>

namespace breakwater {

napi_value subscribe(napi_env env, napi_callback_info info);
napi_value awaitChange(napi_env env, napi_callback_info info);

}  // namespace breakwater
