#include "peer.h"

#include <atomic>
#include <utility>

namespace breakwater {

// From 1; `newPeerId` of core counts for the endpoints in TypeScript, from far above.
PeerId nextPeerId() {
  static std::atomic<PeerId> last{0};
  return ++last;
}

Peer& PeerTable::add(const Path& path) {
  const PeerId id = nextPeerId();
  Peer& peer = peers_[id];
  peer.id = id;
  peer.path = path;
  associations_[PathKey(path)].candidate = &peer;
  return peer;
}

Peer* PeerTable::promote(Peer& peer) {
  Association& association = associations_[PathKey(peer.path)];
  association.candidate = nullptr;
  return std::exchange(association.current, &peer);
}

void PeerTable::remove(Peer& peer) {
  if (const auto found = associations_.find(PathKey(peer.path)); found != associations_.end()) {
    Association& association = found->second;
    if (association.current == &peer) association.current = nullptr;
    if (association.candidate == &peer) association.candidate = nullptr;
    if (association.current == nullptr && association.candidate == nullptr) associations_.erase(found);
  }
  // Not by the id within it, which goes while it is looked at.
  peers_.erase(PeerId{peer.id});
}

Peer* PeerTable::find(PeerId id) {
  const auto found = peers_.find(id);
  return found == peers_.end() ? nullptr : &found->second;
}

Association* PeerTable::find(const PathKey& path) {
  const auto found = associations_.find(path);
  return found == associations_.end() ? nullptr : &found->second;
}

}  // namespace breakwater
