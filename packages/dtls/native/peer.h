#pragma once

#include <array>
#include <memory>
#include <string>
#include <unordered_map>

#include "address.h"
#include "channel.h"
#include "handshake.h"
#include "session-cache.h"
#include "session-outcome.h"

namespace breakwater {

/** One peer: first a handshake, then a channel, never both. */
struct Peer {
  PeerId id = 0;
  Path path;
  /** Timers of this handshake (client only). Before what refers to it. */
  HandshakeTiming timing;
  std::unique_ptr<Handshake> handshake;
  std::unique_ptr<Channel> channel;
  /** The random of its ClientHello tells a repeated hello from a new handshake (server only). */
  std::array<uint8_t, kHelloRandomBytes> helloRandom{};
  /** Server only. */
  HelloNumbering numbering;
  /** Client only: the name that it was asked for by. */
  std::string serverName;
  /** Client only: what the session that it was offered rests on. */
  Origin offered;
  /** Client only: when its first hello left, and when that begins anew because the timer has become shorter; 0: never. */
  uint64_t begunAtMs = 0;
  uint64_t beginAnewAtMs = 0;
  /** Something has come from it. */
  bool heard = false;
  /** It has sent something that looks like an encrypted Finished. */
  bool triedFinished = false;
  uint64_t giveUpAtMs = 0;
  /** When the timer heap has to look at it, for its handshake or for the last flight of that; 0: never. */
  uint64_t deadlineMs = 0;
  /** Before this nothing is told of what others say of its path. */
  uint64_t nextHintMs = 0;
};

/**
 * Who is at one pair of addresses. A handshake with an address that already has a session is only a candidate: the
 * session lives on until the candidate has finished (stronger than RFC 6347 §4.2.8 asks).
 */
struct Association {
  Peer* current = nullptr;
  Peer* candidate = nullptr;
};

/** All peers of one endpoint, by id and by path. */
class PeerTable {
 public:
  /** Makes a peer and enters it as candidate of its path. */
  Peer& add(const Path& path);
  /** The candidate of this path has finished its handshake. Returns whom it replaces, or null. */
  Peer* promote(Peer& peer);
  /** Forgets and destroys. */
  void remove(Peer& peer);

  Peer* find(PeerId id);
  Association* find(const PathKey& path);
  size_t size() const { return peers_.size(); }

  /** Calls `visit` with each peer; it must not change the table. */
  template <typename Visit>
  void each(Visit visit) {
    for (auto& [id, peer] : peers_) visit(peer);
  }

 private:
  /** Peers stay where they are: others point to them. */
  std::unordered_map<PeerId, Peer> peers_;
  std::unordered_map<PathKey, Association, PathKeyHash> associations_;
};

/** The next id; the same sequence for all endpoints and threads of the process. */
PeerId nextPeerId();

}  // namespace breakwater
