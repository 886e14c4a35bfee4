#pragma once

#include <openssl/ssl.h>

#include "channel.h"
#include "datagram-bio.h"

namespace breakwater {

/** What fits a datagram, and no more than the peer has asked for (RFC 6066 §4: 2^9 to 2^12 bytes). */
size_t maximumPlaintextOf(const SSL* ssl);
/** Frees the object of a finished handshake, without a word to the peer and without harm to its ticket. */
void release(SSL* ssl);

/** A channel that keeps OpenSSL's session object for as long as the session lasts. */
class SslChannel final : public Channel {
 public:
  /** Takes over `ssl`, whose handshake is finished. `path` and `numbering` (may be null) must outlive the channel. */
  SslChannel(SSL* ssl, DatagramBio& bio, const Path& path, HelloNumbering* numbering);
  ~SslChannel() override;
  SslChannel(const SslChannel&) = delete;
  SslChannel& operator=(const SslChannel&) = delete;

  bool seal(const uint8_t* plaintext, size_t length) override;
  State open(const uint8_t* records, size_t length, PlaintextSink& sink) override;
  void sayGoodbye() override;
  size_t overhead() const override { return overhead_; }
  size_t maximumPlaintext() const override { return maximumPlaintext_; }

 private:
  SSL* ssl_;
  DatagramBio& bio_;
  const Path& path_;
  /** The last flight may have to leave once more, and part of it is unencrypted. */
  HelloNumbering* numbering_;
  size_t maximumPlaintext_;
  size_t overhead_;
};

}  // namespace breakwater
