// Many clients at many loopback addresses behind one socket, for what handshakes and idle sessions cost a server.
#include "crowd.h"

#include <poll.h>

#include <unordered_map>
#include <utility>
#include <vector>

#include "../../packages/dtls/native/engine.h"
#include "../../packages/dtls/native/napi-values.h"
#include "../../packages/dtls/native/udp-socket.h"

namespace breakwater {
namespace {

/** A lost datagram costs a second: more of them than this, and the figure is about something else. */
constexpr size_t kMostFailures = 100;

class CrowdListener final : public EngineListener {
 public:
  std::vector<PeerId> established;
  std::vector<PeerId> failed;

  uint8_t* room(size_t& capacity) override {
    capacity = sizeof buffer_;
    return buffer_;
  }
  void commit(size_t) override {}
  void onSender(PeerId) override {}
  void onEstablished(PeerId peer, const Path&, const Identity&, size_t, bool) override { established.push_back(peer); }
  void onClosed(PeerId, End) override {}
  void onFailed(PeerId peer, Failure) override { failed.push_back(peer); }

 private:
  uint8_t buffer_[kLongestDatagram];
};

class Crowd {
 public:
  Address server;
  /** False: each handshake is for the same name in other letters, of which there is no session yet. */
  bool resumes = false;

  bool open(EngineOptions options) {
    UdpSocketOptions socket;
    CredentialProblem problem;
    socket.local.family = 4;
    return engine_.start(std::move(options), problem) && socket_.open(socket) == 0;
  }

  void connect(size_t client) {
    Path path;
    path.local = sourceOf(client);
    path.remote = server;
    clients_[engine_.connect(path, nextName(), monotonicMs())] = client;
  }

  /** Takes what has come; returns the clients that have a session now. */
  std::vector<PeerId> turn() {
    socket_.flush();
    pollfd waiting{socket_.descriptor(), POLLIN, 0};
    poll(&waiting, 1, 10);
    for (size_t count = socket_.receive(), i = 0; i < count; i++) {
      ReceivedDatagram datagram;
      if (socket_.datagram(i, datagram)) engine_.receive(datagram.path, datagram.bytes, datagram.length, monotonicMs());
    }
    engine_.handleTimeouts(monotonicMs());
    for (const PeerId peer : std::exchange(listener_.failed, {})) {
      failures_++;
      connect(take(peer));
    }
    return std::exchange(listener_.established, {});
  }

  /** Says goodbye for a client, and begins anew for it. */
  void begin(PeerId peer) {
    const size_t client = take(peer);
    engine_.close(peer);
    connect(client);
  }

  void leave() {
    engine_.closeAll();
    socket_.flush();
  }

  bool hopeless() const { return failures_ > kMostFailures; }

 private:
  size_t take(PeerId peer) {
    const auto found = clients_.find(peer);
    const size_t client = found->second;
    clients_.erase(found);
    return client;
  }

  /** 127.1.high.low, by which the answers tell the clients apart. */
  Address sourceOf(size_t client) {
    Address source;
    source.family = 4;
    source.port = socket_.local().port;
    source.bytes = {127, 1, static_cast<uint8_t>(client >> 8), static_cast<uint8_t>(client & 255)};
    return source;
  }

  std::string nextName() {
    std::string name = "server.example";
    if (resumes) return name;
    uint32_t letters = serial_++;
    for (char& letter : name) {
      if (letter == '.') continue;
      if ((letters & 1) != 0) letter = static_cast<char>(letter - 32);
      letters >>= 1;
    }
    return name;
  }

  Counters counters_;
  UdpSocket socket_{counters_};
  CrowdListener listener_;
  Engine engine_{socket_, listener_, counters_};
  std::unordered_map<PeerId, size_t> clients_;
  uint32_t serial_ = 0;
  size_t failures_ = 0;
};

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
