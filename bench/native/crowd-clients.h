// Many clients at many loopback addresses behind one socket.
#pragma once

#include <poll.h>

#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "../../packages/dtls/native/engine.h"
#include "../../packages/dtls/native/udp-socket.h"

namespace breakwater {

/** A lost datagram costs a second: more of them than this, and the figure is about something else. */
inline constexpr size_t kMostFailures = 100;

class CrowdListener final : public EngineListener {
 public:
  std::vector<PeerId> established;
  std::vector<PeerId> failed;
  /** Who got what, when it is wanted. */
  std::vector<std::pair<PeerId, uint8_t>> codes;
  bool wantsCodes = false;

  uint8_t* room(size_t& capacity) override {
    capacity = sizeof buffer_;
    return buffer_;
  }
  void commit(size_t length) override {
    if (wantsCodes && length > kCodeAt) codes.emplace_back(sender_, buffer_[kCodeAt]);
  }
  void onSender(PeerId peer) override { sender_ = peer; }
  void onEstablished(PeerId peer, const Path&, const Identity&, size_t, bool) override { established.push_back(peer); }
  void onClosed(PeerId, End) override {}
  void onFailed(PeerId peer, Failure) override { failed.push_back(peer); }
  void onHint(PeerId, const PathError&) override {}

 private:
  /** CoAP: where the code stands. */
  static constexpr size_t kCodeAt = 1;
  PeerId sender_ = 0;
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

  bool send(PeerId peer, const std::vector<uint8_t>& plaintext) {
    return engine_.send(peer, plaintext.data(), plaintext.size());
  }

  /** From now on it is kept which CoAP codes arrive; each is given once. */
  void wantCodes() { listener_.wantsCodes = true; }
  std::vector<std::pair<PeerId, uint8_t>> takeCodes() { return std::exchange(listener_.codes, {}); }

  int descriptor() const { return socket_.descriptor(); }

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

}  // namespace breakwater
