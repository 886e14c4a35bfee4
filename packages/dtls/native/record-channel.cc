#include "record-channel.h"

#include <cstring>
#include <utility>

#include "big-endian.h"

namespace breakwater {
namespace {

/** RFC 5246 §7.2. */
constexpr uint8_t kWarning = 1;
constexpr uint8_t kFatal = 2;
constexpr uint8_t kCloseNotify = 0;
constexpr uint8_t kDecodeError = 50;
constexpr uint8_t kNoRenegotiation = 100;

bool isFinished(uint8_t type, const uint8_t* message, size_t length) {
  return type == kHandshake && length == kFinishedBytes && message[0] == kFinished;
}

}  // namespace

RecordChannel::RecordChannel(RecordCiphers& ciphers, Transport& transport, const Path& path, const RecordSecrets& secrets,
                             const WritePosition& last, size_t maximumPlaintext)
    : ciphers_(ciphers),
      transport_(transport),
      path_(path),
      layer_(secrets, last),
      maximumPlaintext_(static_cast<uint32_t>(maximumPlaintext)) {}

bool RecordChannel::checkFinished(const Record& ours, std::vector<uint8_t>& message) const {
  message.resize(ours.fragmentLength());
  size_t length = 0;
  if (!layer_.openOwn(ciphers_, ours, message.data(), length) || !isFinished(ours.type, message.data(), length))
    return false;
  message.resize(length);
  return true;
}

bool RecordChannel::takeFinished(const Record& theirs) {
  uint8_t message[64];
  size_t length = 0;
  return theirs.fragmentLength() <= sizeof message && layer_.open(ciphers_, theirs, message, length) &&
         isFinished(theirs.type, message, length);
}

bool RecordChannel::write(uint8_t type, const uint8_t* plaintext, size_t length) {
  uint8_t record[kLongestDatagram];
  if (!layer_.seal(ciphers_, type, plaintext, length, record)) return false;
  transport_.send(path_, record, layer_.sealedLength(length));
  return true;
}

bool RecordChannel::seal(const uint8_t* plaintext, size_t length) {
  // As OpenSSL: CoAP has no empty plaintext (RFC 7252 §3: four bytes at least).
  return length > 0 && length <= maximumPlaintext_ && write(kApplicationData, plaintext, length);
}

Channel::State RecordChannel::open(const uint8_t* records, size_t length, PlaintextSink& sink) {
  Record record;
  RecordReader reader(records, length);
  while (reader.next(record)) {
    size_t capacity = 0, got = 0;
    uint8_t* const room = sink.room(capacity);
    if (record.fragmentLength() > capacity) continue;
    if (!layer_.open(ciphers_, record, room, got)) {
      if (layer_.wornOut()) return State::kBroken;
      continue;
    }
    if (const State state = take(record.type, room, got, sink); state != State::kOpen) return state;
  }
  return State::kOpen;
}

Channel::State RecordChannel::take(uint8_t type, const uint8_t* message, size_t length, PlaintextSink& sink) {
  switch (type) {
    case kApplicationData:
      if (length > 0) sink.commit(length);
      return State::kOpen;
    case kAlert:
      return takeAlert(message, length);
    case kHandshake:
      takeHandshake(message, length);
      return State::kOpen;
    default:
      return State::kOpen;
  }
}

Channel::State RecordChannel::takeAlert(const uint8_t* alert, size_t length) {
  if (length != 2 || (alert[0] != kWarning && alert[0] != kFatal)) {
    this->alert(kFatal, kDecodeError);
    return State::kBroken;
  }
  if (alert[0] == kFatal) return State::kBroken;
  return alert[1] == kCloseNotify ? State::kClosedByPeer : State::kOpen;
}

/** RFC 6347 §4.2.4: who repeats Finished has not got ours. Whoever wants another handshake gets a word (RFC 5246 §7.2.2). */
void RecordChannel::takeHandshake(const uint8_t* message, size_t length) {
  if (length == 0) return;
  if (message[0] == kFinished) return repeatLastFlight();
  if (message[0] == kClientHello || message[0] == kHelloRequest) alert(kWarning, kNoRenegotiation);
}

void RecordChannel::repeatLastFlight() {
  if (lastFlight_ == nullptr || lastFlight_->repeatsLeft == 0) return;
  LastFlight& flight = *lastFlight_;
  flight.repeatsLeft--;
  const size_t longest = layer_.sealedLength(maximumPlaintext_);
  std::vector<uint8_t> datagram;
  const auto append = [&](const uint8_t* bytes, size_t length) {
    if (!datagram.empty() && datagram.size() + length > longest) {
      transport_.send(path_, datagram.data(), datagram.size());
      datagram.clear();
    }
    datagram.insert(datagram.end(), bytes, bytes + length);
  };
  Record record;
  RecordReader reader(flight.unencrypted.data(), flight.unencrypted.size());
  while (reader.next(record)) {
    append(record.bytes, record.length);
    // RFC 6347 §4.2.2: the same message, but a new record.
    uint8_t* const header = datagram.data() + datagram.size() - record.length;
    writeBigEndian(header + kSequenceAt, ++flight.plainSequence, kLengthAt - kSequenceAt);
  }
  std::vector<uint8_t> sealed(layer_.sealedLength(flight.finished.size()));
  if (!layer_.seal(ciphers_, kHandshake, flight.finished.data(), flight.finished.size(), sealed.data())) return;
  append(sealed.data(), sealed.size());
  transport_.send(path_, datagram.data(), datagram.size());
}

void RecordChannel::sayGoodbye() { alert(kWarning, kCloseNotify); }

void RecordChannel::alert(uint8_t level, uint8_t description) {
  const uint8_t bytes[] = {level, description};
  write(kAlert, bytes, sizeof bytes);
}

}  // namespace breakwater
