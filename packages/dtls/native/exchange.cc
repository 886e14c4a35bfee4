#include "exchange.h"

#include <array>
#include <utility>

namespace breakwater {
namespace {

/** Record header, nonce or tag at least: no plaintext costs less of a datagram than this. */
constexpr size_t kSmallestRecord = kRecordHeaderBytes + 8;
constexpr size_t kMostRecords = kLongestDatagram / kSmallestRecord;

/** What one datagram can bring: its own plaintexts, and behind a Finished those that came too early. */
constexpr size_t kMostPlaintexts = kMostRecords + kMostEarlyRecords;
constexpr size_t kMostBytes = kLongestDatagram + kMostEarlyRecords * kLongestFragment;

static_assert(SharedMemory::kSlots > kMostPlaintexts && SharedMemory::kBytes > kMostBytes);

}  // namespace

Exchange::Exchange(Counters& counters) : counters_(counters), shared_(std::make_shared<SharedMemory>()) {}

bool Exchange::roomForDatagram() const {
  return SharedMemory::kSlots - incoming_ >= kMostPlaintexts && SharedMemory::kBytes - used_ >= kMostBytes;
}

std::vector<SessionReport> Exchange::takeReports() { return std::exchange(reports_, {}); }

uint32_t Exchange::takeIncoming() {
  used_ = 0;
  return std::exchange(incoming_, 0);
}

void Exchange::drainOutgoing(Engine& engine) {
  SharedMemory& memory = *shared_;
  const uint32_t count = std::exchange(memory.outgoing, 0);
  std::array<Outgoing, Engine::kMostAtOnce> group;
  size_t grouped = 0;
  for (uint32_t i = 0; i < count && i < SharedMemory::kSlots; i++) {
    const uint32_t offset = memory.outgoingOffset[i];
    const uint32_t length = memory.outgoingLength[i];
    if (offset > SharedMemory::kBytes || length > SharedMemory::kBytes - offset) continue;
    const double peer = memory.outgoingPeer[i];
    if (!(peer >= 1 && peer <= 9007199254740991.0)) continue;
    group[grouped++] = {static_cast<PeerId>(peer), memory.outgoingBytes + offset, length};
    if (grouped == group.size()) engine.send(group.data(), std::exchange(grouped, 0));
  }
  engine.send(group.data(), grouped);
}

uint8_t* Exchange::room(size_t& capacity) {
  capacity = SharedMemory::kBytes - used_;
  return shared_->incomingBytes + used_;
}

void Exchange::commit(size_t length) {
  SharedMemory& memory = *shared_;
  if (incoming_ >= SharedMemory::kSlots) return;
  const uint32_t at = incoming_++;
  memory.incomingPeer[at] = static_cast<double>(sender_);
  memory.incomingOffset[at] = static_cast<uint32_t>(used_);
  memory.incomingLength[at] = static_cast<uint32_t>(length);
  used_ += length;
  counters_.plaintextsIn++;
}

void Exchange::onEstablished(PeerId peer, const Path& path, const Identity& identity, size_t maximumPlaintext,
                             bool resumed) {
  SessionReport report{SessionReport::Kind::kEstablished, peer, incoming_};
  report.path = path;
  report.identity = identity;
  report.maximumPlaintext = static_cast<uint32_t>(maximumPlaintext);
  report.resumed = resumed;
  reports_.push_back(std::move(report));
}

void Exchange::onClosed(PeerId peer, End end) {
  SessionReport report{SessionReport::Kind::kClosed, peer, incoming_};
  report.end = end;
  reports_.push_back(std::move(report));
}

void Exchange::onFailed(PeerId peer, Failure failure) {
  SessionReport report{SessionReport::Kind::kFailed, peer, incoming_};
  report.failure = failure;
  reports_.push_back(std::move(report));
}

void Exchange::onHint(PeerId peer, const PathError& error) {
  SessionReport report{SessionReport::Kind::kHint, peer, incoming_};
  report.error = error;
  reports_.push_back(std::move(report));
}

}  // namespace breakwater
