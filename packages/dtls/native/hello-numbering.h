#pragma once

#include <cstddef>
#include <cstdint>

namespace breakwater {

/**
 * RFC 6347 §4.2.1: the first ServerHello takes over the record sequence number of the ClientHello that brought the
 * cookie. OpenSSL 3.5 starts at 1 all the same; when a first hello was lost, that number was the HelloVerifyRequest's,
 * the client drops the ServerHello as a replay, and the handshake loses a second. Unencrypted records are renumbered on
 * their way out: nothing vouches for their numbers.
 */
class HelloNumbering {
 public:
  /** `helloSequence`: of the ClientHello with the cookie. */
  explicit HelloNumbering(uint64_t helloSequence = 0) : helloSequence_(helloSequence) {}

  /** Rewrites the numbers of the records of epoch 0 in one datagram. */
  void apply(uint8_t* datagram, size_t length);

 private:
  uint64_t helloSequence_;
  uint64_t shift_ = 0;
  bool started_ = false;
};

}  // namespace breakwater
