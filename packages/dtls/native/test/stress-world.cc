#include "stress-world.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace breakwater::stress {

uint64_t Dice::next() {
  state_ ^= state_ >> 12;
  state_ ^= state_ << 25;
  state_ ^= state_ >> 27;
  return state_ * 0x2545f4914f6cdd1dull;
}

uint32_t Ledger::sum(const uint8_t* bytes, size_t length, uint64_t number) {
  uint64_t state = number * 0x9e3779b97f4a7c15ull + length;
  for (size_t i = kShortest; i < length; i++) state = (state ^ bytes[i]) * 0x100000001b3ull;
  return static_cast<uint32_t>(state ^ state >> 32);
}

std::vector<uint8_t> Ledger::write(size_t length) {
  std::vector<uint8_t> bytes(std::max(length, kShortest));
  const uint64_t number = ++written_;
  for (size_t i = kShortest; i < bytes.size(); i++) bytes[i] = static_cast<uint8_t>(number * 31 + i);
  std::memcpy(bytes.data(), &number, 8);
  const uint32_t check = sum(bytes.data(), bytes.size(), number);
  std::memcpy(bytes.data() + 8, &check, 4);
  return bytes;
}

void Ledger::read(const uint8_t* bytes, size_t length) {
  uint64_t number = 0;
  uint32_t check = 0;
  if (length >= kShortest) {
    std::memcpy(&number, bytes, 8);
    std::memcpy(&check, bytes + 8, 4);
  }
  if (number == 0 || number > written_ || check != sum(bytes, length, number) || !seen_.insert(number).second) {
    std::fprintf(stderr, "a plaintext of %zu bytes was forged or replayed (number %llu)\n", length,
                 static_cast<unsigned long long>(number));
    std::abort();
  }
}

bool Party::start(EngineOptions options) {
  CredentialProblem problem;
  if (engine.start(std::move(options), problem)) return true;
  std::fprintf(stderr, "%s: %s\n", problem.field, problem.message.c_str());
  return false;
}

void Party::send(const Path& path, const uint8_t* bytes, size_t length) {
  sent.push_back({path, {bytes, bytes + length}});
}

uint8_t* Party::room(size_t& capacity) {
  capacity = buffer_.size();
  return buffer_.data();
}

void Party::commit(size_t length) {
  counters.plaintextsIn++;
  ledger_.read(buffer_.data(), length);
}

void Party::onEstablished(PeerId peer, const Path&, const Identity& identity, size_t maximumPlaintext, bool) {
  if (identity.kind == Identity::Kind::kNobody || maximumPlaintext == 0) std::abort();
  established.push_back(peer);
}

void Party::forget(PeerId peer) { std::erase(established, peer); }

void mutilate(Dice& dice, std::vector<uint8_t>& bytes, const std::vector<uint8_t>& other) {
  if (bytes.empty()) return;
  switch (dice.below(8)) {
    case 0:
      bytes[dice.below(bytes.size())] ^= static_cast<uint8_t>(1u << dice.below(8));
      break;
    case 1:
      for (size_t i = dice.below(8); i > 0; i--) bytes[dice.below(bytes.size())] = static_cast<uint8_t>(dice.next());
      break;
    case 2:
      bytes.resize(dice.below(bytes.size()) + 1);
      break;
    case 3:
      for (size_t i = dice.below(300); i > 0; i--) bytes.push_back(static_cast<uint8_t>(dice.next()));
      break;
    case 4:
      // Header fields: type, version, epoch, sequence, length.
      bytes[dice.below(std::min<size_t>(bytes.size(), 13))] = static_cast<uint8_t>(dice.next());
      break;
    case 5:
      // Message header behind the record header: type, length, sequence, fragment.
      if (bytes.size() > 25) bytes[13 + dice.below(12)] = static_cast<uint8_t>(dice.next());
      break;
    case 6:
      bytes.insert(bytes.end(), other.begin(), other.end());
      break;
    default: {
      const size_t keep = dice.below(bytes.size());
      bytes.resize(keep);
      if (!other.empty()) bytes.insert(bytes.end(), other.begin() + static_cast<long>(dice.below(other.size())), other.end());
    }
  }
  if (bytes.size() > kLongestDatagram) bytes.resize(kLongestDatagram);
}

}  // namespace breakwater::stress
