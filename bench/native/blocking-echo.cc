// The ceiling: an echo server with the product's engine and socket and nothing else, in a loop of its own.
#include "blocking-echo.h"

#include <poll.h>

#include <unordered_set>

#include "../../packages/dtls/native/engine.h"
#include "../../packages/dtls/native/napi-values.h"
#include "../../packages/dtls/native/udp-socket.h"

namespace breakwater {
namespace {

/** No CoAP message begins so. */
constexpr uint8_t kForAll = 0xff;

/** Sends every plaintext back to where it came from, at once; one for all to everybody there is. */
class EchoListener final : public EngineListener {
 public:
  Engine* engine = nullptr;

  uint8_t* room(size_t& capacity) override {
    capacity = sizeof buffer_;
    return buffer_;
  }
  void commit(size_t length) override {
    if (buffer_[0] == kForAll)
      for (const PeerId peer : everybody_) engine->send(peer, buffer_ + 1, length - 1);
    else
      engine->send(sender_, buffer_, length);
  }
  void onSender(PeerId peer) override { sender_ = peer; }
  void onEstablished(PeerId peer, const Path&, const Identity&, size_t, bool) override { everybody_.insert(peer); }
  void onClosed(PeerId peer, End) override { everybody_.erase(peer); }
  void onFailed(PeerId, Failure) override {}

 private:
  std::unordered_set<PeerId> everybody_;
  PeerId sender_ = 0;
  uint8_t buffer_[kLongestDatagram];
};

struct EchoServer {
  Counters counters;
  UdpSocket socket{counters};
  EchoListener listener;
  Engine engine{socket, listener, counters};
};

[[noreturn]] void serve(EchoServer& server) {
  for (;;) {
    pollfd waiting{server.socket.descriptor(), POLLIN, 0};
    poll(&waiting, 1, 100);
    const uint64_t now = monotonicMs();
    for (size_t count = server.socket.receive(); count > 0; count = server.socket.receive()) {
      for (size_t i = 0; i < count; i++) {
        ReceivedDatagram datagram;
        if (server.socket.datagram(i, datagram))
          server.engine.receive(datagram.path, datagram.bytes, datagram.length, now);
      }
      server.socket.flush();
      if (count < UdpSocket::kBatch) break;
    }
    server.engine.handleTimeouts(now);
    server.socket.flush();
  }
}

}  // namespace

/** openEcho(options): `[port, handle]`, or a problem */
napi_value openEcho(napi_env env, napi_callback_info info) {
  size_t count = 1;
  napi_value argument, result, handle;
  napi_get_cb_info(env, info, &count, &argument, nullptr, nullptr);
  EngineOptions options;
  UdpSocketOptions socket;
  CredentialProblem problem;
  auto* server = new EchoServer;
  server->listener.engine = &server->engine;
  if (!readEngineOptions(env, argument, options) || !readAddress(env, property(env, argument, "local"), socket.local) ||
      !server->engine.start(std::move(options), problem) || server->socket.open(socket) != 0)
    return makeProblem(env, "arguments", nullptr, "cannot open");
  napi_create_array_with_length(env, 2, &result);
  napi_create_external(env, server, nullptr, nullptr, &handle);
  napi_set_element(env, result, 0, makeNumber(env, server->socket.local().port));
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
  serve(*static_cast<EchoServer*>(server));
}

}  // namespace breakwater
