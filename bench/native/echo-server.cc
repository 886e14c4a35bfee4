#include "echo-server.h"

#include <poll.h>

#include <array>
#include <chrono>
#include <utility>

namespace breakwater {
namespace {

/** No CoAP message begins so. */
constexpr uint8_t kForAll = 0xff;

uint64_t steadyMs() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(now).count());
}

}  // namespace

uint8_t* EchoListener::room(size_t& capacity) {
  capacity = sizeof buffer_;
  return buffer_;
}

void EchoListener::commit(size_t length) {
  if (buffer_[0] == kForAll)
    sendToAll(buffer_ + 1, length - 1);
  else
    engine->send(sender_, buffer_, length);
}

void EchoListener::sendToAll(const uint8_t* bytes, size_t length) {
  std::array<Outgoing, Engine::kMostAtOnce> group;
  size_t grouped = 0;
  for (const PeerId peer : everybody_) {
    group[grouped++] = {peer, bytes, length};
    if (grouped == group.size()) engine->send(group.data(), std::exchange(grouped, 0));
  }
  engine->send(group.data(), grouped);
}

bool EchoServer::open(EngineOptions options, const UdpSocketOptions& socket, CredentialProblem& problem) {
  return engine_.start(std::move(options), problem) && socket_.open(socket) == 0;
}

void EchoServer::serve() {
  for (;;) {
    pollfd waiting{socket_.descriptor(), POLLIN, 0};
    poll(&waiting, 1, 100);
    const uint64_t now = steadyMs();
    for (size_t count = socket_.receive(); count > 0; count = socket_.receive()) {
      for (size_t i = 0; i < count; i++) {
        ReceivedDatagram datagram;
        if (socket_.datagram(i, datagram)) engine_.receive(datagram.path, datagram.bytes, datagram.length, now);
      }
      socket_.flush();
      if (count < UdpSocket::kBatch) break;
    }
    engine_.handleTimeouts(now);
    socket_.flush();
  }
}

}  // namespace breakwater
