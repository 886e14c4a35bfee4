// Session reports for JavaScript, packed: each object or property that C++ makes there costs more than all the rest of it.
#pragma once

#include <node_api.h>

#include <vector>

#include "exchange.h"

namespace breakwater {

/** `[numbers, ...texts]`; `src/packed-reports.ts` unpacks it, and says the same of the order. */
napi_value packReports(napi_env env, const std::vector<SessionReport>& reports);

}  // namespace breakwater
