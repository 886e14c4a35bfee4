// The ceiling: an echo server with the product's engine and socket and nothing else, in a loop of its own.
#pragma once

#include <unordered_set>

#include "../../packages/dtls/native/engine.h"
#include "../../packages/dtls/native/udp-socket.h"

namespace breakwater {

/** Sends every plaintext back to where it came from, at once; one for all to everybody there is. */
class EchoListener final : public EngineListener {
 public:
  Engine* engine = nullptr;

  uint8_t* room(size_t& capacity) override;
  void commit(size_t length) override;
  void onSender(PeerId peer) override { sender_ = peer; }
  void onEstablished(PeerId peer, const Path&, const Identity&, size_t, bool) override { everybody_.insert(peer); }
  void onClosed(PeerId peer, End) override { everybody_.erase(peer); }
  void onFailed(PeerId, Failure) override {}
  void onHint(PeerId, const PathError&) override {}

 private:
  void sendToAll(const uint8_t* bytes, size_t length);

  std::unordered_set<PeerId> everybody_;
  PeerId sender_ = 0;
  uint8_t buffer_[kLongestDatagram];
};

class EchoServer {
 public:
  EchoServer() { listener_.engine = &engine_; }
  EchoServer(const EchoServer&) = delete;
  EchoServer& operator=(const EchoServer&) = delete;

  /** False: see `problem`, or the socket cannot be had. */
  bool open(EngineOptions options, const UdpSocketOptions& socket, CredentialProblem& problem);
  uint16_t port() const { return socket_.local().port; }
  [[noreturn]] void serve();

 private:
  Counters counters_;
  UdpSocket socket_{counters_};
  EchoListener listener_;
  Engine engine_{socket_, listener_, counters_};
};

}  // namespace breakwater
