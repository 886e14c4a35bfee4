// Many sessions from many loopback addresses through one socket. Requests are really encrypted; replies are counted by
// their outside only, so that the generator is always faster than the server that it loads.
#include "load-generator.h"

#include <poll.h>

#include <vector>

#include "../../packages/dtls/native/engine.h"
#include "../../packages/dtls/native/napi-values.h"
#include "../../packages/dtls/native/udp-socket.h"

namespace breakwater {
namespace {

constexpr size_t kRequestBytes = 40;
/** CoAP: where the Message ID and the token stand. */
constexpr size_t kMessageIdAt = 2;
constexpr size_t kTokenAt = 4;

class LoadListener final : public EngineListener {
 public:
  size_t established = 0;
  size_t lost = 0;

  uint8_t* room(size_t& capacity) override {
    capacity = sizeof buffer_;
    return buffer_;
  }
  void commit(size_t) override {}
  void onSender(PeerId) override {}
  void onEstablished(PeerId, const Path&, const Identity&, size_t, bool) override { established++; }
  void onClosed(PeerId, End) override { lost++; }
  void onFailed(PeerId, Failure) override { lost++; }
  void onHint(PeerId, const PathError&) override {}

 private:
  uint8_t buffer_[kLongestDatagram];
};

struct Load {
  Counters counters;
  UdpSocket socket{counters};
  LoadListener listener;
  Engine engine{socket, listener, counters};
  Address server;
  std::vector<PeerId> sessions;
  /** Requests that each session has sent. */
  std::vector<uint32_t> sent;
  /** A CoAP message with a token of 4 bytes; each copy gets a Message ID and a token of its own. */
  std::vector<uint8_t> request = {0x44, 1};
};

void sendRequest(Load& load, size_t session) {
  const uint32_t serial = ++load.sent[session];
  load.request[kMessageIdAt] = static_cast<uint8_t>(serial >> 8);
  load.request[kMessageIdAt + 1] = static_cast<uint8_t>(serial);
  for (size_t i = 0; i < 4; i++) load.request[kTokenAt + i] = static_cast<uint8_t>(serial >> (24 - 8 * i));
  load.engine.send(load.sessions[session], load.request.data(), load.request.size());
}

/** 127.1.high.low, by which the replies tell their sessions apart. */
Address sourceOf(size_t session, uint16_t port) {
  Address source;
  source.family = 4;
  source.port = port;
  source.bytes = {127, 1, static_cast<uint8_t>(session >> 8), static_cast<uint8_t>(session & 255)};
  return source;
}

bool waitReadable(Load& load) {
  load.socket.flush();
  pollfd waiting{load.socket.descriptor(), POLLIN, 0};
  return poll(&waiting, 1, 50) > 0;
}

bool establish(Load& load, size_t sessions) {
  const uint64_t giveUp = monotonicMs() + 5000;
  for (size_t i = 0; i < sessions; i++) {
    Path path;
    path.local = sourceOf(i, load.socket.local().port);
    path.remote = load.server;
    load.sessions.push_back(load.engine.connect(path, "server.example", monotonicMs()));
    load.sent.push_back(0);
    // One after another: the sample is about traffic, and a burst of handshakes would only overrun the socket.
    while (load.listener.established <= i) {
      if (load.listener.lost > 0 || monotonicMs() > giveUp) return false;
      if (!waitReadable(load)) load.engine.handleTimeouts(monotonicMs());
      for (size_t count = load.socket.receive(), k = 0; k < count; k++) {
        ReceivedDatagram datagram;
        if (load.socket.datagram(k, datagram))
          load.engine.receive(datagram.path, datagram.bytes, datagram.length, monotonicMs());
      }
    }
  }
  return true;
}

void sendRound(Load& load, size_t requestsPerSession) {
  for (size_t round = 0; round < requestsPerSession; round++)
    for (size_t session = 0; session < load.sessions.size(); session++) sendRequest(load, session);
}

uint64_t exchange(Load& load, size_t window, uint64_t durationMs) {
  sendRound(load, window);
  uint64_t replies = 0;
  const uint64_t end = monotonicMs() + durationMs;
  while (monotonicMs() < end) {
    // Silence: what was in flight was lost in a full socket.
    if (!waitReadable(load)) sendRound(load, 1);
    const size_t count = load.socket.receive();
    for (size_t i = 0; i < count; i++) {
      ReceivedDatagram datagram;
      if (!load.socket.datagram(i, datagram) || datagram.bytes[0] != kApplicationData) continue;
      const size_t session = static_cast<size_t>(datagram.path.local.bytes[2]) << 8 | datagram.path.local.bytes[3];
      if (session >= load.sessions.size()) continue;
      replies++;
      sendRequest(load, session);
    }
  }
  return replies;
}

/** False when it is given and too short to be a request. */
bool readRequest(napi_env env, napi_value value, std::vector<uint8_t>& request) {
  napi_valuetype type = napi_undefined;
  napi_typeof(env, value, &type);
  if (type == napi_undefined) return true;
  void* bytes = nullptr;
  size_t length = 0;
  if (napi_get_typedarray_info(env, value, nullptr, &length, &bytes, nullptr, nullptr) != napi_ok ||
      length < kTokenAt + 4)
    return false;
  request.assign(static_cast<uint8_t*>(bytes), static_cast<uint8_t*>(bytes) + length);
  return true;
}

}  // namespace

/** generateLoad(options, server, sessions, window, warmUpMs, durationMs, onEdge, request): replies in `durationMs`, or -1 */
napi_value generateLoad(napi_env env, napi_callback_info info) {
  size_t count = 8;
  napi_value arguments[8];
  napi_get_cb_info(env, info, &count, arguments, nullptr, nullptr);
  EngineOptions options;
  UdpSocketOptions socket;
  CredentialProblem problem;
  uint32_t sessions = 0, window = 0, warmUpMs = 0, durationMs = 0;
  auto load = std::make_unique<Load>();
  socket.local.family = 4;
  load->request.resize(kRequestBytes);
  if (count < 7 || !readRequest(env, arguments[7], load->request) || !readEngineOptions(env, arguments[0], options) || !readAddress(env, arguments[1], load->server) ||
      !readUint32(env, arguments[2], sessions) || !readUint32(env, arguments[3], window) ||
      !readUint32(env, arguments[4], warmUpMs) || !readUint32(env, arguments[5], durationMs) ||
      !load->engine.start(std::move(options), problem) || load->socket.open(socket) != 0 ||
      !establish(*load, sessions))
    return makeNumber(env, -1);
  exchange(*load, window, warmUpMs);
  napi_value global, result;
  napi_get_global(env, &global);
  napi_call_function(env, global, arguments[6], 0, nullptr, &result);
  const uint64_t replies = exchange(*load, 0, durationMs);
  napi_call_function(env, global, arguments[6], 0, nullptr, &result);
  load->engine.closeAll();
  load->socket.flush();
  return makeNumber(env, static_cast<double>(replies));
}

}  // namespace breakwater
