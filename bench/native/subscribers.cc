// Many clients with a session each that observe something together, for what one change costs a server.
#include "subscribers.h"

#include <sys/socket.h>

#include <unordered_set>

#include "../../packages/dtls/native/napi-values.h"
#include "crowd-clients.h"

namespace breakwater {
namespace {

/** 2.05 Content: a notification, or the first answer to an observer. */
constexpr uint8_t kContent = 0x45;
constexpr uint64_t kGiveUpAfterMs = 300'000;
constexpr size_t kRequestsAtOnce = 64;

struct Subscribers {
  Crowd crowd;
  std::vector<PeerId> sessions;
};

/** A notification that finds the socket of the crowd full would be lost as on any full link. Needs CAP_NET_ADMIN. */
void widen(int descriptor) {
  const int bufferBytes = 64 << 20;
  setsockopt(descriptor, SOL_SOCKET, SO_RCVBUFFORCE, &bufferBytes, sizeof bufferBytes);
}

bool establish(Subscribers& all, size_t clients) {
  constexpr size_t kAtOnce = 16;
  const uint64_t giveUp = monotonicMs() + kGiveUpAfterMs;
  size_t begun = 0;
  while (all.sessions.size() < clients && !all.crowd.hopeless() && monotonicMs() < giveUp) {
    while (begun < clients && begun - all.sessions.size() < kAtOnce) all.crowd.connect(begun++);
    for (const PeerId peer : all.crowd.turn()) all.sessions.push_back(peer);
  }
  return all.sessions.size() == clients;
}

/** Until so many clients have got content, each counted once. */
size_t gather(Subscribers& all, std::unordered_set<PeerId>& got, size_t wanted, uint64_t giveUp) {
  while (got.size() < wanted && monotonicMs() < giveUp) {
    all.crowd.turn();
    for (const auto& [peer, code] : all.crowd.takeCodes())
      if (code == kContent) got.insert(peer);
  }
  return got.size();
}

/** Every client asks once, and each gets an answer. */
bool ask(Subscribers& all, const std::vector<uint8_t>& request) {
  std::unordered_set<PeerId> got;
  const uint64_t giveUp = monotonicMs() + kGiveUpAfterMs;
  for (size_t asked = 0; asked < all.sessions.size();) {
    for (size_t i = 0; i < kRequestsAtOnce && asked < all.sessions.size(); i++)
      all.crowd.send(all.sessions[asked++], request);
    if (gather(all, got, asked, giveUp) < asked) return false;
  }
  return true;
}

bool readBytes(napi_env env, napi_value value, std::vector<uint8_t>& out) {
  void* bytes = nullptr;
  size_t length = 0;
  if (napi_get_typedarray_info(env, value, nullptr, &length, &bytes, nullptr, nullptr) != napi_ok) return false;
  out.assign(static_cast<uint8_t*>(bytes), static_cast<uint8_t*>(bytes) + length);
  return true;
}

}  // namespace

/** subscribe(options, server, clients, first, request): the handle of clients that have got an answer, or undefined */
napi_value subscribe(napi_env env, napi_callback_info info) {
  size_t count = 5;
  napi_value arguments[5], handle;
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  EngineOptions options;
  uint32_t clients = 0;
  std::vector<uint8_t> first, request;
  auto all = std::make_unique<Subscribers>();
  if (count < 5 || !readEngineOptions(env, arguments[0], options) ||
      !readAddress(env, arguments[1], all->crowd.server) || !readUint32(env, arguments[2], clients) || clients == 0 ||
      !readBytes(env, arguments[3], first) || !readBytes(env, arguments[4], request) ||
      !all->crowd.open(std::move(options)))
    return nullptr;
  widen(all->crowd.descriptor());
  all->crowd.wantCodes();
  if (!establish(*all, clients)) return nullptr;
  if (!first.empty()) {
    // What is observed has to be there first: any answer will do.
    all->crowd.send(all->sessions[0], first);
    const uint64_t giveUp = monotonicMs() + 5000;
    while (all->crowd.takeCodes().empty() && monotonicMs() < giveUp) all->crowd.turn();
  }
  if (!ask(*all, request)) return nullptr;
  napi_create_external(env, all.release(), nullptr, nullptr, &handle);
  return handle;
}

/** awaitChange(handle, change, withinMs): how many clients got content after the first one had sent `change` */
napi_value awaitChange(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value arguments[3];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  void* handle = nullptr;
  uint32_t withinMs = 0;
  std::vector<uint8_t> change;
  if (count < 3 || napi_get_value_external(env, arguments[0], &handle) != napi_ok ||
      !readBytes(env, arguments[1], change) || !readUint32(env, arguments[2], withinMs))
    return makeNumber(env, -1);
  auto& all = *static_cast<Subscribers*>(handle);
  std::unordered_set<PeerId> got;
  // What came late of an earlier change is none of this one.
  all.crowd.turn();
  all.crowd.takeCodes();
  if (!change.empty()) all.crowd.send(all.sessions[0], change);
  return makeNumber(env, static_cast<double>(gather(all, got, all.sessions.size(), monotonicMs() + withinMs)));
}

}  // namespace breakwater
