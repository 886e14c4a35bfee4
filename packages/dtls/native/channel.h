// An established session, seen as what it does to records: seal and open. Behind it stands our own record layer
// (`RecordChannel`) or, where that is switched off or cannot take over, OpenSSL's session object (`SslChannel`).
#pragma once

#include <cstddef>
#include <cstdint>

namespace breakwater {

/** Where opened plaintexts go, without a copy in between. */
class PlaintextSink {
 public:
  /** Room for the next plaintext, at least `kLongestDatagram` less what was committed from the same datagram. */
  virtual uint8_t* room(size_t& capacity) = 0;
  /** The first `length` bytes of that room are a plaintext now. */
  virtual void commit(size_t length) = 0;

 protected:
  ~PlaintextSink() = default;
};

class Channel {
 public:
  enum class State : uint8_t { kOpen, kClosedByPeer, kBroken };

  virtual ~Channel() = default;

  /** Encrypts and sends one plaintext; false when it cannot. */
  virtual bool seal(const uint8_t* plaintext, size_t length) = 0;
  /** Decrypts the records of one datagram. What does not verify or is a replay is dropped without a word. */
  virtual State open(const uint8_t* records, size_t length, PlaintextSink& sink) = 0;
  /** What encryption adds to a plaintext: no genuine fragment is shorter. */
  virtual size_t overhead() const = 0;
  /** Sends close_notify. */
  virtual void sayGoodbye() = 0;
  /** Longest plaintext that fits one datagram. */
  virtual size_t maximumPlaintext() const = 0;
  /** It holds the last flight of the handshake in case that the peer asks for it again, and can let go of it. */
  virtual bool keepsLastFlight() const { return false; }
  virtual void forgetLastFlight() {}
};

}  // namespace breakwater
