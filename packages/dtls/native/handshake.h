#pragma once

#include <openssl/ssl.h>

#include <array>
#include <memory>
#include <string>
#include <utility>

#include "channel.h"
#include "datagram-bio.h"
#include "early-records.h"
#include "identity.h"
#include "record.h"
#include "security-context.h"
#include "session-outcome.h"

namespace breakwater {

/** Retransmission of flights: RFC 6347 §4.2.4.1 says 1 s, doubled each time, at most 60 s. */
struct HandshakeTiming {
  uint32_t firstTimeoutMs = 1000;
  uint32_t longestTimeoutMs = 60'000;
  /** A handshake that has not finished after this time has failed. */
  uint32_t giveUpMs = 60'000;
};

/** One handshake in progress. */
class Handshake {
 public:
  enum class Progress : uint8_t { kPending, kFinished, kFailed };
  static constexpr uint64_t kNever = UINT64_MAX;

  /** Takes over `ssl` and keeps its credentials. `path` and `numbering` (null for a client) must outlive this and the channel that comes of it. */
  Handshake(SSL* ssl, std::shared_ptr<SecurityContext> context, DatagramBio& bio, const Path& path,
            HelloNumbering* numbering);
  ~Handshake();
  Handshake(const Handshake&) = delete;
  Handshake& operator=(const Handshake&) = delete;

  /** Goes on with the records of one datagram; with none, starts. */
  Progress advance(const uint8_t* records, size_t length);
  /** Sends the last flight again if its time has come. */
  Progress retransmit();
  /** Milliseconds until `retransmit`, or `kNever`. */
  uint64_t timeoutMs() const;
  /** Why it failed; after `kFailed`. */
  Failure failure() const { return failure_; }

  /** After `kFailed`: nobody could say whether the certificate of the peer was revoked. */
  bool revocationUnknown() const;

  Identity identity() const { return identityOf(ssl_); }
  /** After `kFinished`, of a full handshake. */
  bool provenance(Provenance& out) const { return context_->resumption().provenanceOf(ssl_, out); }
  /** The peer has named a pre-shared key. */
  bool offersPsk() const { return SSL_get_psk_identity(ssl_) != nullptr; }
  bool resumed() const { return SSL_session_reused(ssl_) == 1; }
  /** For resumption; null when the server gave no ticket. The caller frees it. */
  SSL_SESSION* session() const { return SSL_get1_session(ssl_); }
  EarlyRecords& early() { return early_; }
  /** Ends this object's part, after `kFinished`: the channel is OpenSSL's. */
  std::unique_ptr<Channel> intoChannel();
  /** Likewise, with a record layer of our own, and OpenSSL's object is gone. Null when it cannot be: then all is as before. */
  std::unique_ptr<Channel> intoOwnChannel(RecordCiphers& ciphers, Transport& transport);

 private:
  Progress judge(int result);

  SSL* ssl_;
  std::shared_ptr<SecurityContext> context_;
  DatagramBio& bio_;
  const Path& path_;
  HelloNumbering* numbering_;
  WriteWatch watch_;
  EarlyRecords early_;
  Failure failure_ = Failure::kProtocol;
};

/** Makes session objects that know their MTU and their timers. */
class SslFactory {
 public:
  /** `mtuBytes`: path MTU, IP and UDP headers included. */
  SslFactory(std::shared_ptr<SecurityContext> context, DatagramBio& bio, uint32_t mtuBytes,
             const HandshakeTiming& timing);

  /** Null when OpenSSL has no memory or no randomness for one. */
  SSL* make(uint8_t family) const;
  /** The longest session ticket with which a ClientHello for this name still is one datagram. */
  size_t longestTicket(uint8_t family, const std::string& serverName) const;
  /**
   * For a client: which name the certificate must carry, and what to say in the SNI extension. Null, with the reason in
   * `why`, when a certificate is expected and the name is none that could be compared with it, or memory is short.
   */
  SSL* makeTowards(uint8_t family, const std::string& serverName, Failure& why) const;
  /** Lets this handshake go by timers of its own, which are read for each flight and must live as long as the session. */
  static void useTiming(SSL* ssl, HandshakeTiming& timing);
  /** From now on, sessions are made with these credentials. */
  void use(std::shared_ptr<SecurityContext> context) { context_ = std::move(context); }
  const HandshakeTiming& timing() const { return timing_; }

 private:
  uint32_t room(uint8_t family) const;
  static unsigned int nextTimeout(SSL* ssl, unsigned int previousUs);

  std::shared_ptr<SecurityContext> context_;
  DatagramBio& bio_;
  uint32_t mtuBytes_;
  HandshakeTiming timing_;
};

}  // namespace breakwater
