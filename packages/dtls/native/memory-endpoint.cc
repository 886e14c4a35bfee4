#include "memory-endpoint.h"

#include <cstring>
#include <utility>

#include "napi-values.h"

namespace breakwater {
namespace {

/** Per thread, as tests are. */
thread_local bool randomIsBroken = false;

bool breakableRandom(uint8_t* out, size_t length) { return !randomIsBroken && secureRandom(out, length); }

napi_value copyBytes(napi_env env, const uint8_t* bytes, size_t length) {
  void* data = nullptr;
  napi_value buffer, array;
  napi_create_arraybuffer(env, length, &data, &buffer);
  if (length > 0) std::memcpy(data, bytes, length);
  napi_create_typedarray(env, napi_uint8_array, length, buffer, 0, &array);
  return array;
}

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
    setProperty(env, object, "bytes", copyBytes(env, sent[i].bytes.data(), sent[i].bytes.size()));
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
                copyBytes(env, memory.incomingBytes + memory.incomingOffset[i], memory.incomingLength[i]));
    napi_set_element(env, plaintexts, i, object);
  }
  napi_create_object(env, &result);
  setProperty(env, result, "datagrams", datagrams);
  setProperty(env, result, "reports", makeReports(env, self->exchange_.takeReports()));
  setProperty(env, result, "plaintexts", plaintexts);
  return result;
}

/** memoryConnect(handle, local, remote, serverName): the peer, or 0 */
napi_value MemoryEndpoint::connect(napi_env env, napi_callback_info info) {
  size_t count = 4;
  napi_value arguments[4];
  Path path;
  std::string serverName;
  MemoryEndpoint* self = from(env, info, count, arguments);
  if (self == nullptr || count < 4 || !readAddress(env, arguments[1], path.local) ||
      !readAddress(env, arguments[2], path.remote) || !readString(env, arguments[3], serverName))
    return makeNumber(env, 0);
  return makeNumber(env, static_cast<double>(self->engine_.connect(path, serverName, self->nowMs())));
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
  if (self != nullptr && count == 2 && readUint32(env, arguments[1], milliseconds)) self->aheadMs_ += milliseconds;
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
                   {"memorySend", static_cast<napi_callback>(send)},
                   {"memoryClose", close},
                   {"memoryAdvance", advance},
                   {"memoryHandleTimeouts", handleTimeouts},
                   {"memoryBreakRandom", breakRandom},
                   {"memoryStats", stats}});
}

}  // namespace breakwater
