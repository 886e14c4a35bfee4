// What handshakes and idle sessions cost a server.
#include "crowd.h"

#include "../../packages/dtls/native/napi-values.h"
#include "crowd-clients.h"

namespace breakwater {
namespace {

bool call(napi_env env, napi_value function) {
  napi_value global, result;
  napi_get_global(env, &global);
  return napi_call_function(env, global, function, 0, nullptr, &result) == napi_ok;
}

/** Handshakes one after another by each client; how many came about. */
uint64_t shake(Crowd& crowd, uint64_t durationMs) {
  uint64_t finished = 0;
  const uint64_t end = monotonicMs() + durationMs;
  while (monotonicMs() < end && !crowd.hopeless()) {
    for (const PeerId peer : crowd.turn()) {
      finished++;
      crowd.begin(peer);
    }
  }
  return finished;
}

}  // namespace

/** generateHandshakes(options, server, clients, resumes, warmUpMs, durationMs, onEdge): handshakes in `durationMs`, or -1 */
napi_value generateHandshakes(napi_env env, napi_callback_info info) {
  size_t count = 7;
  napi_value arguments[7];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  EngineOptions options;
  uint32_t clients = 0, warmUpMs = 0, durationMs = 0;
  auto crowd = std::make_unique<Crowd>();
  if (count < 7 || !readEngineOptions(env, arguments[0], options) || !readAddress(env, arguments[1], crowd->server) ||
      !readUint32(env, arguments[2], clients) || napi_get_value_bool(env, arguments[3], &crowd->resumes) != napi_ok ||
      !readUint32(env, arguments[4], warmUpMs) || !readUint32(env, arguments[5], durationMs) ||
      !crowd->open(std::move(options)))
    return makeNumber(env, -1);
  for (size_t client = 0; client < clients; client++) crowd->connect(client);
  shake(*crowd, warmUpMs);
  call(env, arguments[6]);
  const uint64_t finished = shake(*crowd, durationMs);
  call(env, arguments[6]);
  crowd->leave();
  return makeNumber(env, crowd->hopeless() ? -1 : static_cast<double>(finished));
}

/** holdSessions(options, server, clients, onEdge): calls `onEdge` before the first and with all; how many there were, or -1 */
napi_value holdSessions(napi_env env, napi_callback_info info) {
  size_t count = 4;
  napi_value arguments[4];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  EngineOptions options;
  uint32_t clients = 0;
  auto crowd = std::make_unique<Crowd>();
  if (count < 4 || !readEngineOptions(env, arguments[0], options) || !readAddress(env, arguments[1], crowd->server) ||
      !readUint32(env, arguments[2], clients) || !crowd->open(std::move(options)))
    return makeNumber(env, -1);
  constexpr size_t kAtOnce = 16;
  size_t begun = 0, finished = 0;
  call(env, arguments[3]);
  const uint64_t giveUp = monotonicMs() + 300'000;
  while (finished < clients && !crowd->hopeless() && monotonicMs() < giveUp) {
    while (begun < clients && begun - finished < kAtOnce) crowd->connect(begun++);
    finished += crowd->turn().size();
  }
  if (finished == clients) call(env, arguments[3]);
  crowd->leave();
  return makeNumber(env, finished == clients ? static_cast<double>(finished) : -1);
}

}  // namespace breakwater
