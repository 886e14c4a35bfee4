#pragma once

#include <openssl/ssl.h>

#include <memory>

#include "cookie.h"
#include "handshake.h"

namespace breakwater {

/**
 * The stateless part of a server (RFC 6347 §4.2.1): answers a ClientHello without a cookie by HelloVerifyRequest and
 * keeps nothing. The only user of DTLSv1_listen, which OpenSSL has announced to replace for DTLS 1.3.
 */
class CookieListener final : private CookieSource {
 public:
  CookieListener(std::shared_ptr<SecurityContext> context, DatagramBio& bio, const SslFactory& factory,
                 RandomSource random);
  ~CookieListener();
  CookieListener(const CookieListener&) = delete;
  CookieListener& operator=(const CookieListener&) = delete;

  /** The factory makes sessions with these credentials now. Cookies that were given out stay good. */
  void use(std::shared_ptr<SecurityContext> context);
  /** Whether the hello brought a good cookie; costs no more than a digest or two. */
  bool proves(const Path& path, const uint8_t* hello, size_t length, uint64_t nowMs);
  /** A session that stands before its first flight when the hello brought a good cookie; else null. */
  SSL* hear(const Path& path, const uint8_t* hello, size_t length, uint64_t nowMs);

 private:
  size_t make(uint8_t* out) override;
  bool check(const uint8_t* cookie, size_t length) override;

  std::shared_ptr<SecurityContext> context_;
  DatagramBio& bio_;
  const SslFactory& factory_;
  CookieJar jar_;
  /** Waits for the next hello; becomes the session of whoever proves its address. */
  SSL* waiting_ = nullptr;
  uint8_t waitingFamily_ = 0;
  BIO_ADDR* unused_;
  const Path* path_ = nullptr;
  uint64_t nowMs_ = 0;
};

}  // namespace breakwater
