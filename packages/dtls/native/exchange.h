// The memory that C++ and JavaScript share, so that a batch of plaintexts crosses the border by one call either way.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine.h"

namespace breakwater {

/** Something to tell, and how many plaintexts of the batch came before it. */
struct SessionReport {
  enum class Kind : uint8_t { kEstablished, kClosed, kFailed, kHint };

  Kind kind;
  PeerId peer;
  uint32_t after;
  End end = End::kLocal;
  Failure failure = Failure::kLocal;
  Path path{};
  Identity identity{};
  uint32_t maximumPlaintext = 0;
  bool resumed = false;
  PathError error{};
};

/** The layout; `src/exchange.ts` lays its typed arrays over it by the offsets in `exchangeLayout`. */
struct SharedMemory {
  static constexpr size_t kSlots = 1024;
  static constexpr size_t kBytes = 256 * 1024;

  /** Slots that JavaScript has filled. */
  uint32_t outgoing;
  /** 1 while C++ is inside a call to JavaScript and will send what is queued when it returns. */
  uint32_t inTurn;
  double incomingPeer[kSlots];
  uint32_t incomingOffset[kSlots];
  uint32_t incomingLength[kSlots];
  double outgoingPeer[kSlots];
  uint32_t outgoingOffset[kSlots];
  uint32_t outgoingLength[kSlots];
  uint8_t incomingBytes[kBytes];
  uint8_t outgoingBytes[kBytes];
};

/** Collects what the engine reports until JavaScript takes it. */
class Exchange final : public EngineListener {
 public:
  explicit Exchange(Counters& counters);

  SharedMemory& shared() { return *shared_; }
  /** Kept alive by JavaScript's ArrayBuffer, too: whoever detaches that must not pull the memory from under C++. */
  const std::shared_ptr<SharedMemory>& owner() const { return shared_; }

  /** Whether one more datagram of any content fits. If not, the batch has to be delivered first. */
  bool roomForDatagram() const;
  bool empty() const { return incoming_ == 0 && reports_.empty(); }
  std::vector<SessionReport> takeReports();
  /** The number of plaintexts to deliver. Their slots stay as they are until the engine takes its next datagram. */
  uint32_t takeIncoming();

  /** Sends what JavaScript queued; each length and offset is checked against the buffer. */
  void drainOutgoing(Engine& engine);

  uint8_t* room(size_t& capacity) override;
  void commit(size_t length) override;
  void onSender(PeerId peer) override { sender_ = peer; }
  void onEstablished(PeerId peer, const Path& path, const Identity& identity, size_t maximumPlaintext, bool resumed) override;
  void onClosed(PeerId peer, End end) override;
  void onFailed(PeerId peer, Failure failure) override;
  void onHint(PeerId peer, const PathError& error) override;

 private:
  Counters& counters_;
  std::shared_ptr<SharedMemory> shared_;
  std::vector<SessionReport> reports_;
  PeerId sender_ = 0;
  uint32_t incoming_ = 0;
  size_t used_ = 0;
};

}  // namespace breakwater
