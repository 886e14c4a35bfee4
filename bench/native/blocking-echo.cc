// The echo server within a process of Node's, on the OpenSSL that Node brings.
#include "blocking-echo.h"

#include <utility>

#include "../../packages/dtls/native/napi-values.h"
#include "echo-server.h"

namespace breakwater {

/** openEcho(options): `[port, handle]`, or a problem */
napi_value openEcho(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument, result, handle;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  EngineOptions options;
  UdpSocketOptions socket;
  CredentialProblem problem;
  auto* server = new EchoServer;
  if (!readEngineOptions(env, argument, options) || !readAddress(env, property(env, argument, "local"), socket.local) ||
      !server->open(std::move(options), socket, problem))
    return makeProblem(env, "arguments", nullptr, "cannot open");
  napi_create_array_with_length(env, 2, &result);
  napi_create_external(env, server, nullptr, nullptr, &handle);
  napi_set_element(env, result, 0, makeNumber(env, server->port()));
  napi_set_element(env, result, 1, handle);
  return result;
}

/** serveEcho(handle): never returns; the process is killed */
napi_value serveEcho(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  void* server = nullptr;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  if (napi_get_value_external(env, argument, &server) != napi_ok) return nullptr;
  static_cast<EchoServer*>(server)->serve();
}

}  // namespace breakwater
