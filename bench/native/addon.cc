#include "../../packages/dtls/native/napi-values.h"
#include "blocking-echo.h"
#include "crowd.h"
#include "load-generator.h"
#include "subscribers.h"

NAPI_MODULE_INIT() {
  using namespace breakwater;
  defineFunctions(env, exports, {{"openEcho", openEcho}, {"serveEcho", serveEcho}, {"generateLoad", generateLoad},
                                {"generateHandshakes", generateHandshakes}, {"holdSessions", holdSessions},
                                {"subscribe", subscribe}, {"awaitChange", awaitChange}});
  return exports;
}
