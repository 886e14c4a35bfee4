#include "memory-endpoint.h"

#include <cstring>
#include <utility>

#include "napi-values.h"
#include "packed-reports.h"

namespace breakwater {
namespace {

/** Per thread, as tests are. */
thread_local bool randomIsBroken = false;

bool breakableRandom(uint8_t* out, size_t length) { return !randomIsBroken && secureRandom(out, length); }

}  // namespace

MemoryEndpoint::MemoryEndpoint() : exchange_(counters_), engine_(*this, exchange_, counters_) {}

void MemoryEndpoint::send(const Path& path, const uint8_t* bytes, size_t length) {
  counters_.datagramsOut++;
  sent_.push_back({path, {bytes, bytes + length}});
}

MemoryEndpoint* MemoryEndpoint::from(napi_env env, napi_callback_info info, size_t& count, napi_value* arguments) {
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  void* data = nullptr;
  if (count == 0 || napi_get_value_external(env, arguments[0], &data) != napi_ok) return nullptr;
  return static_cast<MemoryEndpoint*>(data);
}

/** memoryOpen(options): a handle, or a problem */
napi_value MemoryEndpoint::open(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument, handle, object;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  EngineOptions options;
  if (!readEngineOptions(env, argument, options)) return makeProblem(env, "arguments", nullptr, "wrong arguments");
  options.random = breakableRandom;
  auto* endpoint = new MemoryEndpoint;
  CredentialProblem problem;
  if (!endpoint->engine_.start(std::move(options), problem)) {
    delete endpoint;
    return makeProblem(env, problem.kind, problem.field, problem.message);
  }
  napi_create_external(
      env, endpoint, [](napi_env, void* data, void*) { delete static_cast<MemoryEndpoint*>(data); }, nullptr, &handle);
  napi_create_object(env, &object);
  setProperty(env, object, "handle", handle);
  return object;
}

/** memoryFeed(handle, local, remote, bytes): false when wrong or longer than a datagram can be */
napi_value MemoryEndpoint::feed(napi_env env, napi_callback_info info) {
  size_t count = 4, length = 0;
  napi_value arguments[4], result;
  uint8_t* bytes = nullptr;
  Path path;
  MemoryEndpoint* self = from(env, info, count, arguments);
  const bool good = self != nullptr && count == 4 && readAddress(env, arguments[1], path.local) &&
                    readAddress(env, arguments[2], path.remote) && readBytes(env, arguments[3], bytes, length) &&
                    length > 0 && length <= kLongestDatagram && self->exchange_.roomForDatagram();
  if (good) {
    // A copy: the engine rearranges what it is given, and the caller's bytes are the caller's.
    std::vector<uint8_t> datagram(bytes, bytes + length);
    self->counters_.datagramsIn++;
    self->engine_.receive(path, datagram.data(), datagram.size(), self->nowMs());
  }
  napi_get_boolean(env, good, &result);
  return result;
}

/** memoryTake(handle): what the engine has sent, reported and decrypted since the last call */
napi_value MemoryEndpoint::take(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument, result, datagrams, plaintexts;
  MemoryEndpoint* self = from(env, info, count, &argument);
  if (self == nullptr) return nullptr;
  const std::vector<Datagram> sent = std::exchange(self->sent_, {});
  napi_create_array(env, &datagrams);
  for (size_t i = 0; i < sent.size(); i++) {
    napi_value object;
    napi_create_object(env, &object);
    setProperty(env, object, "local", makeAddress(env, sent[i].path.local));
    setProperty(env, object, "remote", makeAddress(env, sent[i].path.remote));
    setProperty(env, object, "bytes", makeBytes(env, sent[i].bytes.data(), sent[i].bytes.size()));
    napi_set_element(env, datagrams, static_cast<uint32_t>(i), object);
  }
  const SharedMemory& memory = self->exchange_.shared();
  const uint32_t arrived = self->exchange_.takeIncoming();
  napi_create_array(env, &plaintexts);
  for (uint32_t i = 0; i < arrived; i++) {
    napi_value object;
    napi_create_object(env, &object);
    setProperty(env, object, "peer", makeNumber(env, memory.incomingPeer[i]));
    setProperty(env, object, "bytes",
                makeBytes(env, memory.incomingBytes + memory.incomingOffset[i], memory.incomingLength[i]));
    napi_set_element(env, plaintexts, i, object);
  }
  napi_create_object(env, &result);
  setProperty(env, result, "datagrams", datagrams);
  setProperty(env, result, "reports", packReports(env, self->exchange_.takeReports()));
  setProperty(env, result, "plaintexts", plaintexts);
  return result;
}

/** memoryConnect(handle, local, remote, serverName, firstTimeoutMs): the peer, or 0 */
napi_value MemoryEndpoint::connect(napi_env env, napi_callback_info info) {
  size_t count = 5;
  napi_value arguments[5];
  Path path;
  std::string serverName;
  uint32_t firstTimeoutMs = 0;
  MemoryEndpoint* self = from(env, info, count, arguments);
  if (self == nullptr || count < 5 || !readAddress(env, arguments[1], path.local) ||
      !readAddress(env, arguments[2], path.remote) || !readString(env, arguments[3], serverName) ||
      !readUint32(env, arguments[4], firstTimeoutMs))
    return makeNumber(env, 0);
  return makeNumber(env, static_cast<double>(self->engine_.connect(path, serverName, self->nowMs(), firstTimeoutMs)));
}

/** memorySend(handle, peer, bytes): whether it went out */
napi_value MemoryEndpoint::send(napi_env env, napi_callback_info info) {
  size_t count = 3, length = 0;
  napi_value arguments[3], result;
  uint8_t* bytes = nullptr;
  PeerId peer = 0;
  MemoryEndpoint* self = from(env, info, count, arguments);
  const bool sent = self != nullptr && count == 3 && readPeerId(env, arguments[1], peer) &&
                    readBytes(env, arguments[2], bytes, length) && self->engine_.send(peer, bytes, length);
  napi_get_boolean(env, sent, &result);
  return result;
}

/** memoryRetime(handle, peer, firstTimeoutMs) */
napi_value MemoryEndpoint::retime(napi_env env, napi_callback_info info) {
  size_t count = 3;
  napi_value arguments[3];
  MemoryEndpoint* self = from(env, info, count, arguments);
  PeerId peer = 0;
  uint32_t firstTimeoutMs = 0;
  if (self != nullptr && count == 3 && readPeerId(env, arguments[1], peer) && readUint32(env, arguments[2], firstTimeoutMs))
    self->engine_.retime(peer, self->nowMs(), firstTimeoutMs);
  return nullptr;
}

/** memoryClose(handle, peer) */
napi_value MemoryEndpoint::close(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  PeerId peer = 0;
  MemoryEndpoint* self = from(env, info, count, arguments);
  if (self != nullptr && count == 2 && readPeerId(env, arguments[1], peer)) self->engine_.close(peer);
  return nullptr;
}

uint64_t MemoryEndpoint::nowMs() const { return monotonicMs() + aheadMs_; }

/** memoryAdvance(handle, milliseconds): the clock of the engine, though not OpenSSL's own, goes ahead of the real one */
napi_value MemoryEndpoint::advance(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  uint32_t milliseconds = 0;
  MemoryEndpoint* self = from(env, info, count, arguments);
  if (self != nullptr && count == 2 && readUint32(env, arguments[1], milliseconds)) {
    self->aheadMs_ += milliseconds;
    self->engine_.calendar().advance(milliseconds);
  }
  return nullptr;
}

/** memoryHandleTimeouts(handle): sends again what is due; OpenSSL reads the real clock for that */
napi_value MemoryEndpoint::handleTimeouts(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  if (MemoryEndpoint* self = from(env, info, count, &argument)) self->engine_.handleTimeouts(self->nowMs());
  return nullptr;
}

/** memoryBreakRandom(broken): whether the engines of this thread get random numbers */
napi_value MemoryEndpoint::breakRandom(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  napi_get_value_bool(env, argument, &randomIsBroken);
  return nullptr;
}

/** memoryReload(handle, credentials): a problem, or nothing */
napi_value MemoryEndpoint::reload(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2];
  MemoryEndpoint* self = from(env, info, count, arguments);
  SecurityOptions security;
  if (self == nullptr || count < 2 || !readSecurityOptions(env, arguments[1], security))
    return makeProblem(env, "arguments", nullptr, "wrong arguments");
  CredentialProblem problem;
  if (self->engine_.reload(std::move(security), problem)) return nullptr;
  return makeProblem(env, problem.kind, problem.field, problem.message);
}

/** memoryTicketKeys(handle, keys): whether they are in use now */
napi_value MemoryEndpoint::ticketKeys(napi_env env, napi_callback_info info) {
  size_t count = 2;
  napi_value arguments[2], result;
  std::vector<std::vector<uint8_t>> keys;
  MemoryEndpoint* self = from(env, info, count, arguments);
  const bool used = self != nullptr && count == 2 && readTicketKeys(env, arguments[1], keys) && self->engine_.useTicketKeys(keys);
  napi_get_boolean(env, used, &result);
  return result;
}

/** memorySessions(handle): what could be resumed */
napi_value MemoryEndpoint::sessions(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  MemoryEndpoint* self = from(env, info, count, &argument);
  return self == nullptr ? nullptr : makeSessions(env, self->engine_.resumableSessions());
}

/** memoryStats(handle) */
napi_value MemoryEndpoint::stats(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument;
  MemoryEndpoint* self = from(env, info, count, &argument);
  return self == nullptr ? nullptr : makeStats(env, self->counters_, self->engine_);
}

void MemoryEndpoint::define(napi_env env, napi_value exports) {
  defineFunctions(env, exports,
                  {{"memoryOpen", open},
                   {"memoryFeed", feed},
                   {"memoryTake", take},
                   {"memoryConnect", connect},
                   {"memoryRetime", retime},
                   {"memorySend", static_cast<napi_callback>(send)},
                   {"memoryClose", close},
                   {"memoryAdvance", advance},
                   {"memoryHandleTimeouts", handleTimeouts},
                   {"memoryBreakRandom", breakRandom},
                   {"memoryReload", reload},
                   {"memoryTicketKeys", ticketKeys},
                   {"memorySessions", sessions},
                   {"memoryStats", stats}});
}

}  // namespace breakwater
