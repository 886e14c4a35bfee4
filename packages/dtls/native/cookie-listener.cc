#include "cookie-listener.h"

#include <openssl/err.h>

#include <cstring>
#include <utility>

namespace breakwater {

CookieListener::CookieListener(std::shared_ptr<SecurityContext> context, DatagramBio& bio, const SslFactory& factory,
                               RandomSource random)
    : context_(std::move(context)), bio_(bio), factory_(factory), jar_(random), unused_(BIO_ADDR_new()) {
  context_->setCookieSource(this);
}

CookieListener::~CookieListener() {
  context_->setCookieSource(nullptr);
  SSL_free(waiting_);
  BIO_ADDR_free(unused_);
}

void CookieListener::use(std::shared_ptr<SecurityContext> context) {
  SSL_free(std::exchange(waiting_, nullptr));
  // Handshakes under way may hold the old ones for longer than this lives.
  context_->setCookieSource(nullptr);
  context_ = std::move(context);
  context_->setCookieSource(this);
}

bool CookieListener::proves(const Path& path, const uint8_t* hello, size_t length, uint64_t nowMs) {
  size_t cookieLength = 0;
  const uint8_t* cookie = clientHelloCookie(hello, length, cookieLength);
  return cookieLength > 0 && jar_.accepts(PathKey(path), cookie, cookieLength, nowMs);
}

SSL* CookieListener::hear(const Path& path, const uint8_t* hello, size_t length, uint64_t nowMs) {
  if (waiting_ != nullptr && waitingFamily_ != path.remote.family) SSL_free(std::exchange(waiting_, nullptr));
  if (waiting_ == nullptr) waiting_ = factory_.make(path.remote.family);
  if (waiting_ == nullptr) return nullptr;
  waitingFamily_ = path.remote.family;
  path_ = &path;
  nowMs_ = nowMs;
  ERR_clear_error();
  bio_.face(path);
  bio_.offer(hello, length);
  const int result = DTLSv1_listen(waiting_, unused_);
  bio_.withdraw();
  ERR_clear_error();
  path_ = nullptr;
  if (result < 0) {
    // Something in there does not get well again by the next hello.
    SSL_free(std::exchange(waiting_, nullptr));
    return nullptr;
  }
  return result > 0 ? std::exchange(waiting_, nullptr) : nullptr;
}

size_t CookieListener::make(uint8_t* out) {
  CookieJar::Cookie cookie;
  if (path_ == nullptr || !jar_.bake(PathKey(*path_), nowMs_, cookie)) return 0;
  std::memcpy(out, cookie.data(), cookie.size());
  return cookie.size();
}

bool CookieListener::check(const uint8_t* cookie, size_t length) {
  // The handshake looks at the hello once more when it starts; `hear` has let it in already.
  if (path_ == nullptr) return true;
  return jar_.accepts(PathKey(*path_), cookie, length, nowMs_);
}

}  // namespace breakwater
