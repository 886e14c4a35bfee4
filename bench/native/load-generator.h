#pragma once

#include <node_api.h>

namespace breakwater {

napi_value generateLoad(napi_env env, napi_callback_info info);

}  // namespace breakwater
