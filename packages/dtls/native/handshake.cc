#include "handshake.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <sys/time.h>

#include "hand-over.h"
#include "ssl-channel.h"

namespace breakwater {
namespace {

/** OpenSSL reports a fatal alert of the peer as this number plus the alert. */
constexpr int kAlertReasons = 1000;

constexpr uint32_t kIpv4AndUdpHeaders = 20 + 8;
constexpr uint32_t kIpv6AndUdpHeaders = 40 + 8;

/** A ClientHello of ours without name and ticket, with a cookie as ours are, and a little more. */
constexpr size_t kHelloWithoutTicket = 300;

Failure certificateFailure(const SSL* ssl) {
  switch (SSL_get_verify_result(ssl)) {
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return Failure::kNameMismatch;
    default:
      return Failure::kCertificateRefused;
  }
}

Failure failureOf(const SSL* ssl, unsigned long error) {
  if (ERR_GET_LIB(error) != ERR_LIB_SSL) return Failure::kProtocol;
  const int reason = ERR_GET_REASON(error);
  switch (reason) {
    case SSL_R_CERTIFICATE_VERIFY_FAILED:
      return certificateFailure(ssl);
    case SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE:
    case SSL_R_NO_CERTIFICATES_RETURNED:
      return Failure::kCertificateRefused;
    case SSL_R_PSK_IDENTITY_NOT_FOUND:
      return Failure::kNoSharedKey;
    case SSL_R_READ_TIMEOUT_EXPIRED:
      return Failure::kTimeout;
    default:
      return reason > kAlertReasons && reason < kAlertReasons + 256 ? Failure::kPeerAlert : Failure::kProtocol;
  }
}

/**
 * Whether OpenSSL compares a certificate with exactly this name: an empty one means to it that any will do, one that
 * starts with a dot means every name below, and one with a NUL in it is not taken.
 */
bool namesOneHost(const std::string& name) {
  return !name.empty() && name.front() != '.' && name.find('\0') == std::string::npos;
}

}  // namespace

Handshake::Handshake(SSL* ssl, std::shared_ptr<SecurityContext> context, DatagramBio& bio, const Path& path,
                     HelloNumbering* numbering)
    : ssl_(ssl), context_(std::move(context)), bio_(bio), path_(path), numbering_(numbering) {}

Handshake::~Handshake() { SSL_free(ssl_); }

Handshake::Progress Handshake::advance(const uint8_t* records, size_t length) {
  ERR_clear_error();
  bio_.face(path_, numbering_, &watch_);
  bio_.offer(records, length);
  const int result = SSL_do_handshake(ssl_);
  bio_.withdraw();
  return judge(result);
}

Handshake::Progress Handshake::retransmit() {
  ERR_clear_error();
  bio_.face(path_, numbering_, &watch_);
  if (DTLSv1_handle_timeout(ssl_) >= 0) return Progress::kPending;
  failure_ = Failure::kTimeout;
  ERR_clear_error();
  return Progress::kFailed;
}

uint64_t Handshake::timeoutMs() const {
  timeval left{};
  if (DTLSv1_get_timeout(ssl_, &left) != 1) return kNever;
  // Rounded up: a timer that fires too early finds nothing to do.
  return static_cast<uint64_t>(left.tv_sec) * 1000 + (static_cast<uint64_t>(left.tv_usec) + 999) / 1000;
}

Handshake::Progress Handshake::judge(int result) {
  if (result == 1) return Progress::kFinished;
  const int error = SSL_get_error(ssl_, result);
  if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) return Progress::kPending;
  failure_ = failureOf(ssl_, ERR_peek_error());
  ERR_clear_error();
  return Progress::kFailed;
}

bool Handshake::revocationUnknown() const {
  switch (SSL_get_verify_result(ssl_)) {
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_CRL_NOT_YET_VALID:
      return true;
    default:
      return false;
  }
}

std::unique_ptr<Channel> Handshake::intoChannel() {
  auto channel = std::make_unique<SslChannel>(ssl_, bio_, path_, numbering_);
  ssl_ = nullptr;
  return channel;
}

std::unique_ptr<Channel> Handshake::intoOwnChannel(RecordCiphers& ciphers, Transport& transport) {
  ERR_clear_error();
  std::unique_ptr<Channel> channel = handOver(ssl_, watch_, early_, ciphers, transport, path_);
  ERR_clear_error();
  if (channel != nullptr) release(std::exchange(ssl_, nullptr));
  return channel;
}

SslFactory::SslFactory(std::shared_ptr<SecurityContext> context, DatagramBio& bio, uint32_t mtuBytes,
                       const HandshakeTiming& timing)
    : context_(std::move(context)), bio_(bio), mtuBytes_(mtuBytes), timing_(timing) {}

uint32_t SslFactory::room(uint8_t family) const {
  return mtuBytes_ - (family == 4 ? kIpv4AndUdpHeaders : kIpv6AndUdpHeaders);
}

size_t SslFactory::longestTicket(uint8_t family, const std::string& serverName) const {
  const size_t taken = kHelloWithoutTicket + serverName.size();
  return room(family) > taken ? room(family) - taken : 0;
}

SSL* SslFactory::make(uint8_t family) const {
  SSL* ssl = SSL_new(context_->native());
  if (ssl == nullptr) return nullptr;
  bio_.attach(ssl);
  SSL_set_app_data(ssl, const_cast<HandshakeTiming*>(&timing_));
  DTLS_set_timer_cb(ssl, nextTimeout);
  SSL_set_mtu(ssl, static_cast<long>(room(family)));
  if (context_->server())
    SSL_set_accept_state(ssl);
  else
    SSL_set_connect_state(ssl);
  return ssl;
}

SSL* SslFactory::makeTowards(uint8_t family, const std::string& serverName, Failure& why) const {
  why = Failure::kLocal;
  SSL* ssl = make(family);
  if (ssl == nullptr) return nullptr;
  // RFC 9132 §7.1: SNI, and the DNS-ID compared as RFC 9525 says. The common name is never looked at, and a wildcard,
  // which no DOTS server should show, counts for nothing.
  X509_VERIFY_PARAM* parameters = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(parameters, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_WILDCARDS);
  const bool compares = namesOneHost(serverName) &&
                        X509_VERIFY_PARAM_set1_host(parameters, serverName.data(), serverName.size()) == 1;
  if (!compares && context_->options().certificate.present) {
    SSL_free(ssl);
    why = Failure::kNameMismatch;
    return nullptr;
  }
  SSL_set_tlsext_host_name(ssl, serverName.c_str());
  return ssl;
}

void SslFactory::useTiming(SSL* ssl, HandshakeTiming& timing) { SSL_set_app_data(ssl, &timing); }

unsigned int SslFactory::nextTimeout(SSL* ssl, unsigned int previousUs) {
  const auto& timing = *static_cast<const HandshakeTiming*>(SSL_get_app_data(ssl));
  const uint64_t next = previousUs == 0 ? timing.firstTimeoutMs * 1000ull : previousUs * 2ull;
  const uint64_t longest = timing.longestTimeoutMs * 1000ull;
  return static_cast<unsigned int>(next < longest ? next : longest);
}

}  // namespace breakwater
