#include "hello-numbering.h"

#include "record.h"

namespace breakwater {
namespace {

constexpr size_t kSequenceOffset = 5;

void writeSequence(uint8_t* record, uint64_t sequence) {
  for (size_t i = 0; i < 6; i++) record[kSequenceOffset + i] = static_cast<uint8_t>(sequence >> (40 - 8 * i));
}

}  // namespace

void HelloNumbering::apply(uint8_t* datagram, size_t length) {
  RecordReader reader(datagram, length);
  Record record;
  while (reader.next(record)) {
    if (record.epoch != 0) continue;
    const uint64_t sequence = sequenceOf(record.bytes);
    if (!started_) {
      started_ = true;
      shift_ = helloSequence_ > sequence ? helloSequence_ - sequence : 0;
    }
    if (shift_ == 0) return;
    writeSequence(datagram + (record.bytes - datagram), sequence + shift_);
  }
}

}  // namespace breakwater
