#include "write-watch.h"

#include "big-endian.h"

namespace breakwater {

void WriteWatch::see(const uint8_t* datagram, size_t length) {
  RecordReader reader(datagram, length);
  Record record;
  while (reader.next(record)) {
    if (record.epoch == 0) {
      seeUnencrypted(record);
    } else if (lastEncrypted_.empty() || sequenceOf(record.bytes) > sequenceOf(lastEncrypted_.data())) {
      lastEncrypted_.assign(record.bytes, record.bytes + record.length);
    }
  }
  if (reader.spoiled()) unreadable_ = true;
}

void WriteWatch::seeUnencrypted(const Record& record) {
  plainSequence_ = sequenceOf(record.bytes);
  const bool ends = record.type == kChangeCipherSpec;
  const bool ticket = record.type == kHandshake && record.fragmentLength() > kMessageHeaderBytes &&
                      record.bytes[kRecordHeaderBytes] == kNewSessionTicket;
  // Behind ChangeCipherSpec a flight begins anew, and so does one whose ticket begins again.
  const bool begins = ticket && readBigEndian(record.bytes + kRecordHeaderBytes + 6, 3) == 0;
  if (flightComplete_ || begins || !(ends || ticket)) unencrypted_.clear();
  flightComplete_ = ends;
  if (ends || ticket) unencrypted_.insert(unencrypted_.end(), record.bytes, record.bytes + record.length);
}

Record WriteWatch::lastEncrypted() const {
  const std::vector<uint8_t>& last = lastEncrypted_;
  return {last.data(), last.size(), last[0], static_cast<uint16_t>(last[3] << 8 | last[4])};
}

WritePosition WriteWatch::position(Aead aead) const {
  const Record last = lastEncrypted();
  const size_t explicitBytes = shapeOf(aead).explicitBytes;
  if (last.fragmentLength() < explicitBytes) return {sequenceOf(last.bytes), 0};
  return {sequenceOf(last.bytes), readBigEndian(last.bytes + kRecordHeaderBytes, explicitBytes)};
}

}  // namespace breakwater
