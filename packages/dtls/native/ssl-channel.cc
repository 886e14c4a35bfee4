#include "ssl-channel.h"

#include <openssl/err.h>

#include <algorithm>

#include "aead.h"

namespace breakwater {
namespace {

/** Of the suites that we offer; the most of any where it is another. */
size_t overheadOf(const SSL* ssl) {
  Aead aead;
  return aeadOf(SSL_get_current_cipher(ssl), aead) ? shapeOf(aead).overhead() : 24;
}

}  // namespace

size_t maximumPlaintextOf(const SSL* ssl) {
  const size_t fits = DTLS_get_data_mtu(ssl);
  const uint8_t asked = SSL_SESSION_get_max_fragment_length(SSL_get_session(ssl));
  const bool named = asked >= TLSEXT_max_fragment_length_512 && asked <= TLSEXT_max_fragment_length_4096;
  return named ? std::min(fits, size_t{256} << asked) : fits;
}

void release(SSL* ssl) {
  // Without this SSL_free would mark the session as broken, and its ticket could not be used again.
  SSL_set_shutdown(ssl, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN);
  SSL_free(ssl);
}

SslChannel::SslChannel(SSL* ssl, DatagramBio& bio, const Path& path, HelloNumbering* numbering)
    : ssl_(ssl), bio_(bio), path_(path), numbering_(numbering), maximumPlaintext_(maximumPlaintextOf(ssl)), overhead_(overheadOf(ssl)) {}

SslChannel::~SslChannel() { release(ssl_); }

bool SslChannel::seal(const uint8_t* plaintext, size_t length) {
  // SSL_write takes no empty plaintext, and CoAP has none (RFC 7252 §3: four bytes at least).
  if (length == 0 || length > maximumPlaintext_) return false;
  ERR_clear_error();
  bio_.face(path_);
  return SSL_write(ssl_, plaintext, static_cast<int>(length)) > 0;
}

Channel::State SslChannel::open(const uint8_t* records, size_t length, PlaintextSink& sink) {
  ERR_clear_error();
  bio_.face(path_, numbering_);
  bio_.offer(records, length);
  int got = 0;
  for (;;) {
    size_t capacity = 0;
    uint8_t* room = sink.room(capacity);
    got = SSL_read(ssl_, room, static_cast<int>(capacity));
    if (got <= 0) break;
    sink.commit(static_cast<size_t>(got));
    // All of a datagram is read before the next comes: OpenSSL asks the BIO again only when it has nothing left.
    if (SSL_has_pending(ssl_) == 0) break;
  }
  bio_.withdraw();
  if (got > 0) return State::kOpen;
  switch (SSL_get_error(ssl_, got)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return State::kOpen;
    case SSL_ERROR_ZERO_RETURN:
      return State::kClosedByPeer;
    default:
      ERR_clear_error();
      return State::kBroken;
  }
}

void SslChannel::sayGoodbye() {
  ERR_clear_error();
  bio_.face(path_);
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

}  // namespace breakwater
