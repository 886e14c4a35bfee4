// The DTLS endpoint without a socket and without a clock: datagrams and the time go in, datagrams, plaintexts and events
// come out. One thread; nothing in here calls back into JavaScript.
#pragma once

#include <memory>
#include <string>

#include "cookie-listener.h"
#include "counters.h"
#include "datagram-bio.h"
#include "deadline-heap.h"
#include "handshake-sources.h"
#include "hello-limiter.h"
#include "handshake.h"
#include "path-error.h"
#include "peer.h"
#include "security-context.h"
#include "session-cache.h"
#include "transport.h"

namespace breakwater {

/** Hears what happens. Must not call the engine back from within. */
class EngineListener : public PlaintextSink {
 public:
  /** Whose plaintexts are committed from here on. */
  virtual void onSender(PeerId peer) = 0;
  virtual void onEstablished(PeerId peer, const Path& path, const Identity& identity, size_t maximumPlaintext,
                             bool resumed) = 0;
  virtual void onClosed(PeerId peer, End end) = 0;
  virtual void onFailed(PeerId peer, Failure failure) = 0;
  /** Something was said of the way to a peer; nothing has changed because of it. */
  virtual void onHint(PeerId peer, const PathError& error) = 0;

 protected:
  ~EngineListener() = default;
};

struct EngineOptions {
  SecurityOptions security;
  uint32_t mtuBytes = 1280;
  uint32_t peersLimit = 100'000;
  uint32_t handshakingLimit = 10'000;
  HelloLimits hellos;
  HandshakeTiming timing;
  /** Server: keys from outside; empty: it makes its own. */
  std::vector<std::vector<uint8_t>> ticketKeys;
  /** Client: of an earlier engine. */
  std::vector<KeptSession> sessions;
  /** OpenSSL has no part in a session after its handshake; false: it keeps all sessions. */
  bool recordOffload = true;
  /** Tests have a broken one. */
  RandomSource random = secureRandom;
};

/** One plaintext that is to leave. */
struct Outgoing {
  PeerId peer;
  const uint8_t* plaintext;
  size_t length;
};

class Engine {
 public:
  static constexpr uint64_t kNever = UINT64_MAX;
  /** So many plaintexts at most in one `send`. */
  static constexpr size_t kMostAtOnce = 16;

  Engine(Transport& transport, EngineListener& listener, Counters& counters);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /** False: see `problem`. Times are monotonic milliseconds throughout. */
  bool start(EngineOptions options, CredentialProblem& problem);

  /** New handshakes use these credentials, of the same role. False: see `problem`, and the old ones stay. */
  bool reload(SecurityOptions security, CredentialProblem& problem);
  /** Server with keys from outside: these are all of them now. False: they cannot be, and the old ones stay. */
  bool useTicketKeys(const std::vector<std::vector<uint8_t>>& keys);
  /** Client: what may be resumed from now on, in place of what there was of the same server. */
  void useSessions(const std::vector<KeptSession>& sessions);
  /** Client: what could be resumed. */
  std::vector<KeptSession> resumableSessions() const { return sessions_.give(calendar_.seconds()); }
  Calendar& calendar() { return calendar_; }

  /** Takes one datagram; rearranges its bytes. */
  void receive(const Path& path, uint8_t* bytes, size_t length, uint64_t nowMs);
  /**
   * Client only. The outcome comes to the listener, perhaps before this returns.
   * @param firstTimeoutMs In place of the engine's own; 0: that.
   */
  PeerId connect(const Path& path, const std::string& serverName, uint64_t nowMs, uint32_t firstTimeoutMs = 0);
  /**
   * A client's handshake under way goes by this timer from now on; 0: by that of the endpoint. OpenSSL does not let a timer be
   * moved that is running: a first ClientHello that nothing has answered is begun anew when the shorter time is over, which
   * costs nothing; any other flight keeps the wait that it began with.
   */
  void retime(PeerId peer, uint64_t nowMs, uint32_t firstTimeoutMs);
  /** False when the peer is not established, has gone, or the plaintext is too long. */
  bool send(PeerId peer, const uint8_t* plaintext, size_t length);
  /** Tells of it where it is about a peer, at most once a second and peer: whoever forges such messages can send many. */
  void hint(const PathError& error, uint64_t nowMs);
  /**
   * The same for several peers, in order. The memory of all of them is fetched at once: of ten thousand peers none is in the
   * processor's cache, and one after the other they would each be waited for several times.
   */
  void send(const Outgoing* outgoing, size_t count);
  void close(PeerId peer);
  /** Says goodbye to everybody and forgets them, without a word to the listener. */
  void closeAll();
  void handleTimeouts(uint64_t nowMs);
  size_t peerCount() const { return peers_.size(); }
  uint32_t handshakingCount() const { return handshaking_.total(); }
  size_t deadlineCount() const { return deadlines_.size(); }
  /** When to call `handleTimeouts`, or `kNever`. */
  uint64_t nextTimeoutMs();

 private:
  void hear(const Path& path, const uint8_t* hello, const uint8_t* random, size_t length, uint64_t nowMs);
  bool admitsHello(const Path& path, const uint8_t* hello, size_t length, uint64_t nowMs);
  void route(Association& association, uint8_t* bytes, size_t length, uint64_t nowMs);
  bool holdBack(Peer& candidate, const Record& record);
  void feedCandidate(Peer& peer, const uint8_t* records, size_t length, uint64_t nowMs);
  void feedCurrent(Peer& peer, const uint8_t* records, size_t length);
  void remember(Peer& peer);
  void offer(Peer& peer, SSL* ssl);
  void begin(Peer& peer, SSL* ssl, uint64_t nowMs);
  void beginAnew(Peer& peer, uint64_t nowMs);
  void follow(Peer& peer, Handshake::Progress progress, uint64_t nowMs);
  void establish(Peer& peer, uint64_t nowMs);
  std::unique_ptr<Channel> channelOf(Handshake& handshake);
  void feedEarly(PeerId id, const std::vector<std::vector<uint8_t>>& records);
  void keepLastFlight(Peer& peer, uint64_t nowMs);
  void giveMemoryBack();
  PeerId refuse(Failure failure);
  bool sealFor(Peer* peer, const uint8_t* plaintext, size_t length);
  void fail(Peer& peer, Failure failure);
  void end(Peer& peer, End end);
  void schedule(Peer& peer, uint64_t nowMs);
  bool hasRoom(const Address& remote, bool knownPath) const;

  Transport& transport_;
  EngineListener& listener_;
  Counters& counters_;
  bool recordOffload_ = true;
  uint32_t peersLimit_ = 0;
  uint32_t handshakingLimit_ = 0;
  HandshakeSources handshaking_;
  DatagramBio bio_;
  std::shared_ptr<SecurityContext> context_ = std::make_shared<SecurityContext>();
  Calendar calendar_;
  std::shared_ptr<TicketKeys> tickets_;
  std::unique_ptr<SslFactory> factory_;
  std::unique_ptr<CookieListener> cookies_;
  std::unique_ptr<HelloLimiter> helloLimiter_;
  /** Before the peers, whose channels use them. */
  RecordCiphers ciphers_;
  PeerTable peers_;
  SessionCache sessions_;
  DeadlineHeap deadlines_;
  std::vector<uint8_t> candidateRecords_;
  /** Handshakes that have given up their memory since it was last given back to the system. */
  size_t released_ = 0;
};

}  // namespace breakwater
