#include "hello-numbering.h"

#include "big-endian.h"
#include "record.h"

namespace breakwater {

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
    writeBigEndian(datagram + (record.bytes - datagram) + kSequenceAt, sequence + shift_, kLengthAt - kSequenceAt);
  }
}

}  // namespace breakwater
