// Two engines joined by a wire in memory that loses, doubles, reorders and mutilates datagrams.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_set>
#include <vector>

#include "../engine.h"

namespace breakwater::stress {

/** xorshift64*: a seed replays a run as far as OpenSSL's own randomness allows. */
class Dice {
 public:
  explicit Dice(uint64_t seed) : state_(seed | 1) {}

  uint64_t next();
  /** 0 … bound − 1 */
  size_t below(size_t bound) { return static_cast<size_t>(next() % bound); }
  bool oneIn(size_t chances) { return below(chances) == 0; }

 private:
  uint64_t state_;
};

struct Datagram {
  Path path;
  std::vector<uint8_t> bytes;
};

/** Plaintexts are numbered: one that nobody sent, or that comes twice, is a hole in the record layer. */
class Ledger {
 public:
  static constexpr size_t kShortest = 12;

  std::vector<uint8_t> write(size_t length);
  /** Ends the program on a plaintext that cannot be. */
  void read(const uint8_t* bytes, size_t length);
  uint64_t delivered() const { return seen_.size(); }

 private:
  static uint32_t sum(const uint8_t* bytes, size_t length, uint64_t number);

  uint64_t written_ = 0;
  std::unordered_set<uint64_t> seen_;
};

/** One engine with everything around it. */
class Party final : private Transport, private EngineListener {
 public:
  explicit Party(Ledger& ledger) : ledger_(ledger), engine(*this, *this, counters) {}

  bool start(EngineOptions options);

  std::vector<Datagram> sent;
  std::vector<PeerId> established;

 private:
  void send(const Path& path, const uint8_t* bytes, size_t length) override;
  uint8_t* room(size_t& capacity) override;
  void commit(size_t length) override;
  void onSender(PeerId) override {}
  void onEstablished(PeerId peer, const Path&, const Identity& identity, size_t maximumPlaintext, bool resumed) override;
  void onClosed(PeerId peer, End) override { forget(peer); }
  void onFailed(PeerId, Failure) override {}
  void onHint(PeerId, const PathError&) override {}
  void forget(PeerId peer);

  Ledger& ledger_;
  std::vector<uint8_t> buffer_ = std::vector<uint8_t>(kLongestDatagram);

 public:
  Counters counters;
  Engine engine;
};

/** Changes a datagram in one of the ways in which an attacker might. */
void mutilate(Dice& dice, std::vector<uint8_t>& bytes, const std::vector<uint8_t>& other);

}  // namespace breakwater::stress
