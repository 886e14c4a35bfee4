#include "engine.h"

#include <malloc.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "record-channel.h"

namespace breakwater {
namespace {

constexpr uint16_t kHandshakeEpoch = 0;
constexpr uint16_t kSessionEpoch = 1;

/** Finished with the smaller overhead of our suites. */
constexpr size_t kShortestEncryptedHandshake = kFinishedBytes + 16;
/** The larger overhead of our suites. */
constexpr size_t kShortestEarlyRecord = 24;

/**
 * What a session may see: OpenSSL never begins another epoch, because renegotiation is off. A fragment that is too short
 * to be genuine has to stop here: OpenSSL 3.5 ends the session over it, so anybody could with a forged source address.
 */
bool belongsToSession(const Record& record, const Channel& channel, bool hasCandidate) {
  if (record.epoch != kSessionEpoch || record.type < kAlert || record.type > kApplicationData) return false;
  return record.fragmentLength() >= channel.overhead() && !(hasCandidate && record.type == kHandshake);
}

/** What a handshake may see. Encrypted data and alerts go to the session while there is one. */
bool belongsToHandshake(const Record& record, bool hasSession) {
  const size_t length = record.fragmentLength();
  if (record.epoch == kHandshakeEpoch)
    return record.type >= kChangeCipherSpec && record.type <= kHandshake && length > 0 && length <= kLongestFragment;
  if (record.epoch != kSessionEpoch) return false;
  if (record.type == kHandshake) return length >= kShortestEncryptedHandshake;
  return !hasSession && length >= kShortestEarlyRecord && (record.type == kAlert || record.type == kApplicationData);
}

/** What one source may have of the room for handshakes: an eighth, which is plenty behind a large NAT. */
uint32_t shareOf(uint32_t handshakingLimit) { return std::max(handshakingLimit / 8, 16u); }

/** RFC 6347 §4.2.4: twice the lifetime of a segment (RFC 793 §3.3), for which the last flight may be asked for again. */
constexpr uint64_t kLastFlightMs = 240'000;

/** What others say of the way to one peer is told no more often. */
constexpr uint64_t kHintSpacingMs = 1000;

/** How many handshakes are worth a walk through the heap: at rest, and while others go on. */
constexpr size_t kReleasedAtRest = 1000;
constexpr size_t kReleasedInAll = 10'000;

/** What sending reads of a peer stands in its beginning. */
constexpr size_t kPeerBytesToSend = 128;

/** Asks for memory that will be read soon. Never faults, whatever lies behind it. */
void prefetch(const void* memory, size_t length) {
  constexpr size_t kCacheLine = 64;
  for (size_t at = 0; at < length; at += kCacheLine) __builtin_prefetch(static_cast<const uint8_t*>(memory) + at);
}

}  // namespace

Engine::Engine(Transport& transport, EngineListener& listener, Counters& counters)
    : transport_(transport), listener_(listener), counters_(counters), bio_(transport) {
  candidateRecords_.reserve(kLongestDatagram);
}

Engine::~Engine() = default;

bool Engine::start(EngineOptions options, CredentialProblem& problem) {
  peersLimit_ = options.peersLimit;
  handshakingLimit_ = options.handshakingLimit;
  recordOffload_ = options.recordOffload;
  uint8_t trial[32];
  if (!PathKeyHash::prepare(options.random) || !options.random(trial, sizeof trial)) {
    problem = {"random", nullptr, "the system gives no random numbers"};
    return false;
  }
  if (!context_->build(std::move(options.security), problem)) return false;
  factory_ = std::make_unique<SslFactory>(context_, bio_, options.mtuBytes, options.timing);
  useSessions(options.sessions);
  if (context_->server()) {
    tickets_ = std::make_shared<TicketKeys>(options.random);
    if (!options.ticketKeys.empty() && !tickets_->use(options.ticketKeys)) {
      problem = {"arguments", "ticketKeys", "these cannot be keys of tickets"};
      return false;
    }
    context_->useTickets(tickets_, counters_, calendar_);
    cookies_ = std::make_unique<CookieListener>(context_, bio_, *factory_, options.random);
    helloLimiter_ = std::make_unique<HelloLimiter>(options.hellos);
  }
  return true;
}

bool Engine::reload(SecurityOptions security, CredentialProblem& problem) {
  auto next = std::make_shared<SecurityContext>();
  security.server = context_->server();
  security.serviceName = context_->options().serviceName;
  security.constrainedPeers = context_->options().constrainedPeers;
  if (!next->build(std::move(security), problem)) return false;
  if (tickets_ != nullptr) next->useTickets(tickets_, counters_, calendar_);
  // Handshakes under way keep the old ones. Sessions of before are looked at again when they are to be resumed.
  context_ = next;
  factory_->use(next);
  if (cookies_ != nullptr) cookies_->use(next);
  return true;
}

bool Engine::useTicketKeys(const std::vector<std::vector<uint8_t>>& keys) {
  return tickets_ != nullptr && tickets_->use(keys);
}

void Engine::useSessions(const std::vector<KeptSession>& sessions) {
  for (const KeptSession& kept : sessions)
    if (!sessions_.take(kept, calendar_.seconds())) counters_.sessionsRefused++;
}

void Engine::receive(const Path& path, uint8_t* bytes, size_t length, uint64_t nowMs) {
  Association* known = peers_.find(PathKey(path));
  if (cookies_ != nullptr) {
    if (const uint8_t* random = clientHelloRandom(bytes, length)) {
      const auto repeats = [random](const Peer* peer) {
        return peer != nullptr && std::memcmp(peer->helloRandom.data(), random, kHelloRandomBytes) == 0;
      };
      if (known == nullptr || !(repeats(known->current) || repeats(known->candidate)))
        return hear(path, bytes, random, length, nowMs);
    }
  }
  if (known == nullptr) {
    counters_.datagramsStrange++;
    return;
  }
  route(*known, bytes, length, nowMs);
}

bool Engine::hasRoom(const Address& remote, bool knownPath) const {
  const bool mayBegin = handshaking_.total() < handshakingLimit_ && handshaking_.from(remote) < shareOf(handshakingLimit_);
  return mayBegin && (knownPath || peers_.size() < peersLimit_);
}

/** Before OpenSSL sees it: a flood of forged hellos must not take the core from the sessions that there are. */
bool Engine::admitsHello(const Path& path, const uint8_t* hello, size_t length, uint64_t nowMs) {
  switch (helloLimiter_->judge(path.remote, cookies_->proves(path, hello, length, nowMs), nowMs)) {
    case HelloLimiter::Verdict::kTake:
      return true;
    case HelloLimiter::Verdict::kOverRate:
      return counters_.hellosOverRate++, false;
    case HelloLimiter::Verdict::kOverBudget:
      return counters_.hellosOverBudget++, false;
  }
  return false;
}

void Engine::hear(const Path& path, const uint8_t* hello, const uint8_t* random, size_t length, uint64_t nowMs) {
  if (!admitsHello(path, hello, length, nowMs)) return;
  counters_.hellosIn++;
  tickets_->rotate(nowMs);
  std::array<uint8_t, kHelloRandomBytes> helloRandom;
  std::memcpy(helloRandom.data(), random, helloRandom.size());
  const HelloNumbering numbering(sequenceOf(hello));
  SSL* ssl = cookies_->hear(path, hello, length, nowMs);
  if (ssl == nullptr) return;
  counters_.hellosVerified++;
  Association* known = peers_.find(PathKey(path));
  // A newer handshake of the same client takes the place of one that has not finished; a session stays.
  if (known != nullptr && known->candidate != nullptr) {
    fail(*known->candidate, Failure::kLocal);
    known = peers_.find(PathKey(path));
  }
  if (!hasRoom(path.remote, known != nullptr)) {
    counters_.hellosOverLimit++;
    SSL_free(ssl);
    return listener_.onFailed(nextPeerId(), Failure::kLimit);
  }
  Peer& peer = peers_.add(path);
  peer.helloRandom = helloRandom;
  peer.numbering = numbering;
  begin(peer, ssl, nowMs);
}

PeerId Engine::connect(const Path& path, const std::string& serverName, uint64_t nowMs, uint32_t firstTimeoutMs) {
  Association* known = peers_.find(PathKey(path));
  if (known != nullptr && known->candidate != nullptr) {
    fail(*known->candidate, Failure::kLocal);
    known = peers_.find(PathKey(path));
  }
  if (context_->server() || path.local.family == 0) return refuse(Failure::kLocal);
  if (!hasRoom(path.remote, known != nullptr)) return refuse(Failure::kLimit);
  Failure why;
  SSL* ssl = factory_->makeTowards(path.remote.family, serverName, why);
  if (ssl == nullptr) return refuse(why);
  Peer& peer = peers_.add(path);
  const PeerId id = peer.id;
  peer.serverName = serverName;
  peer.timing = factory_->timing();
  if (firstTimeoutMs > 0) peer.timing.firstTimeoutMs = firstTimeoutMs;
  peer.begunAtMs = nowMs;
  offer(peer, ssl);
  begin(peer, ssl, nowMs);
  return id;
}

/** What a client's hello to this peer goes by, and the session that it asks to resume. */
void Engine::offer(Peer& peer, SSL* ssl) {
  SslFactory::useTiming(ssl, peer.timing);
  const size_t longest = factory_->longestTicket(peer.path.remote.family, peer.serverName);
  SSL_SESSION* earlier = sessions_.find(peer.path.remote, peer.serverName, context_->resumption(), longest,
                                        calendar_.seconds(), peer.offered);
  if (earlier != nullptr) SSL_set_session(ssl, earlier);
}

void Engine::retime(PeerId id, uint64_t nowMs, uint32_t firstTimeoutMs) {
  Peer* peer = peers_.find(id);
  if (context_->server() || peer == nullptr || peer->handshake == nullptr) return;
  const uint32_t before = peer->timing.firstTimeoutMs;
  const uint32_t next = firstTimeoutMs > 0 ? firstTimeoutMs : factory_->timing().firstTimeoutMs;
  peer->timing.firstTimeoutMs = next;
  peer->beginAnewAtMs = 0;
  if (peer->heard || next >= before) return;
  peer->beginAnewAtMs = std::max(nowMs, peer->begunAtMs + next);
  schedule(*peer, nowMs);
}

void Engine::hint(const PathError& error, uint64_t nowMs) {
  peers_.each([&](Peer& peer) {
    if (!(peer.path.remote == error.remote) || nowMs < peer.nextHintMs) return;
    peer.nextHintMs = nowMs + kHintSpacingMs;
    counters_.pathErrorsReported++;
    listener_.onHint(peer.id, error);
  });
}

/** A hello that nobody has answered has left no trace: another takes its place, and stands for its first repetition. */
void Engine::beginAnew(Peer& peer, uint64_t nowMs) {
  peer.beginAnewAtMs = 0;
  Failure why;
  SSL* ssl = factory_->makeTowards(peer.path.remote.family, peer.serverName, why);
  // Without memory for another, the one that there is goes on.
  if (ssl == nullptr) return schedule(peer, nowMs);
  counters_.retransmits++;
  offer(peer, ssl);
  peer.handshake = std::make_unique<Handshake>(ssl, context_, bio_, peer.path, nullptr);
  peer.begunAtMs = nowMs;
  // RFC 6347 §4.2.4.1: each repetition doubles the wait. Later flights begin with the usual one.
  const uint32_t first = std::exchange(peer.timing.firstTimeoutMs, 2 * peer.timing.firstTimeoutMs);
  const Handshake::Progress progress = peer.handshake->advance(nullptr, 0);
  peer.timing.firstTimeoutMs = first;
  follow(peer, progress, nowMs);
}

/** A handshake that ends before it began. */
PeerId Engine::refuse(Failure failure) {
  const PeerId nobody = nextPeerId();
  counters_.handshakesFailed++;
  listener_.onFailed(nobody, failure);
  return nobody;
}

void Engine::begin(Peer& peer, SSL* ssl, uint64_t nowMs) {
  handshaking_.add(peer.path.remote);
  peer.handshake = std::make_unique<Handshake>(ssl, context_, bio_, peer.path,
                                               context_->server() ? &peer.numbering : nullptr);
  peer.giveUpAtMs = nowMs + factory_->timing().giveUpMs;
  follow(peer, peer.handshake->advance(nullptr, 0), nowMs);
}

void Engine::route(Association& association, uint8_t* bytes, size_t length, uint64_t nowMs) {
  Peer* const current = association.current;
  Peer* const candidate = association.candidate;
  size_t kept = 0;
  candidateRecords_.clear();
  Record record;
  RecordReader reader(bytes, length);
  while (reader.next(record)) {
    if (current != nullptr && belongsToSession(record, *current->channel, candidate != nullptr)) {
      if (bytes + kept != record.bytes) std::memmove(bytes + kept, record.bytes, record.length);
      kept += record.length;
    } else if (candidate == nullptr || !belongsToHandshake(record, current != nullptr)) {
      counters_.recordsRefused++;
    } else if (!holdBack(*candidate, record)) {
      candidateRecords_.insert(candidateRecords_.end(), record.bytes, record.bytes + record.length);
    }
  }
  if (reader.spoiled()) counters_.recordsRefused++;
  // The session first: if the candidate finishes, the session is gone.
  if (kept > 0) feedCurrent(*current, bytes, kept);
  if (!candidateRecords_.empty()) feedCandidate(*candidate, candidateRecords_.data(), candidateRecords_.size(), nowMs);
}

/** True for what OpenSSL must not see: data and alerts under the new key wait for the channel. */
bool Engine::holdBack(Peer& candidate, const Record& record) {
  if (record.epoch != kSessionEpoch) return false;
  EarlyRecords& early = candidate.handshake->early();
  if (record.type == kHandshake) {
    candidate.triedFinished = true;
    early.remember(record);
    return false;
  }
  if (!early.keep(record)) counters_.recordsRefused++;
  return true;
}

void Engine::feedCandidate(Peer& peer, const uint8_t* records, size_t length, uint64_t nowMs) {
  peer.heard = true;
  peer.beginAnewAtMs = 0;
  follow(peer, peer.handshake->advance(records, length), nowMs);
}

void Engine::feedCurrent(Peer& peer, const uint8_t* records, size_t length) {
  listener_.onSender(peer.id);
  switch (peer.channel->open(records, length, listener_)) {
    case Channel::State::kOpen:
      return;
    case Channel::State::kClosedByPeer:
      // RFC 5246 §7.2.1: answer by close_notify of our own.
      peer.channel->sayGoodbye();
      return end(peer, End::kCloseNotify);
    case Channel::State::kBroken:
      return end(peer, End::kAlert);
  }
}

void Engine::follow(Peer& peer, Handshake::Progress progress, uint64_t nowMs) {
  switch (progress) {
    case Handshake::Progress::kPending:
      return schedule(peer, nowMs);
    case Handshake::Progress::kFinished:
      return establish(peer, nowMs);
    case Handshake::Progress::kFailed:
      if (peer.handshake->revocationUnknown()) counters_.revocationUnknown++;
      return fail(peer, peer.handshake->failure());
  }
}

void Engine::remember(Peer& peer) {
  const bool resumed = peer.handshake->resumed();
  Origin origin = peer.offered;
  if (!resumed && !peer.handshake->provenance(origin.provenance)) return;
  const size_t longest = factory_->longestTicket(peer.path.remote.family, peer.serverName);
  const bool kept = sessions_.remember(peer.path.remote, peer.serverName, peer.handshake->session(), resumed, origin,
                                       longest, calendar_.seconds());
  if (!kept) counters_.sessionsRefused++;
}

std::unique_ptr<Channel> Engine::channelOf(Handshake& handshake) {
  if (recordOffload_)
    if (auto own = handshake.intoOwnChannel(ciphers_, transport_)) return counters_.handshakesHandedOver++, std::move(own);
  return handshake.intoChannel();
}

void Engine::establish(Peer& peer, uint64_t nowMs) {
  const Identity identity = peer.handshake->identity();
  // Cannot happen with these suites and verify modes; an anonymous peer must not get in if it ever does.
  if (identity.kind == Identity::Kind::kNobody) return fail(peer, Failure::kProtocol);
  counters_.handshakesFinished++;
  if (peer.handshake->resumed()) counters_.handshakesResumed++;
  handshaking_.remove(peer.path.remote);
  if (!context_->server()) remember(peer);
  const bool resumed = peer.handshake->resumed();
  const std::vector<std::vector<uint8_t>> early = peer.handshake->early().takeWaiting();
  peer.channel = channelOf(*peer.handshake);
  peer.handshake.reset();
  peer.deadlineMs = 0;
  keepLastFlight(peer, nowMs);
  giveMemoryBack();
  if (Peer* replaced = peers_.promote(peer)) {
    counters_.sessionsReplaced++;
    end(*replaced, End::kReplaced);
  }
  listener_.onEstablished(peer.id, peer.path, identity, peer.channel->maximumPlaintext(), resumed);
  feedEarly(peer.id, early);
}

/** What came before the end of the handshake, one by one as OpenSSL takes them; any of them may be a goodbye. */
void Engine::feedEarly(PeerId id, const std::vector<std::vector<uint8_t>>& records) {
  for (const std::vector<uint8_t>& record : records)
    if (Peer* peer = peers_.find(id)) feedCurrent(*peer, record.data(), record.size());
}

void Engine::keepLastFlight(Peer& peer, uint64_t nowMs) {
  if (!peer.channel->keepsLastFlight()) return;
  peer.deadlineMs = nowMs + kLastFlightMs;
  deadlines_.push(peer.deadlineMs, peer.id);
}

/** A burst of handshakes takes much memory, of which glibc gives back no more than the end of its heap by itself. */
void Engine::giveMemoryBack() {
  if (++released_ < (handshaking_.total() == 0 ? kReleasedAtRest : kReleasedInAll)) return;
  released_ = 0;
#ifdef __GLIBC__
  malloc_trim(0);
#endif
}

void Engine::fail(Peer& peer, Failure failure) {
  counters_.handshakesFailed++;
  handshaking_.remove(peer.path.remote);
  const PeerId id = peer.id;
  // What the other side did not like it may not like again: the next attempt starts from nothing. A flight that was lost,
  // or a race that another path has won, says nothing against the session.
  if (!context_->server() && failure != Failure::kTimeout && failure != Failure::kLocal)
    sessions_.refused(peer.path.remote, peer.serverName);
  peers_.remove(peer);
  giveMemoryBack();
  listener_.onFailed(id, failure);
}

void Engine::end(Peer& peer, End end) {
  counters_.sessionsClosed++;
  const PeerId id = peer.id;
  peers_.remove(peer);
  listener_.onClosed(id, end);
}

bool Engine::send(PeerId id, const uint8_t* plaintext, size_t length) {
  return sealFor(peers_.find(id), plaintext, length);
}

void Engine::send(const Outgoing* outgoing, size_t count) {
  Peer* peers[kMostAtOnce];
  count = std::min(count, kMostAtOnce);
  for (size_t i = 0; i < count; i++) {
    peers[i] = peers_.find(outgoing[i].peer);
    if (peers[i] != nullptr) prefetch(peers[i], kPeerBytesToSend);
  }
  for (size_t i = 0; i < count; i++)
    if (peers[i] != nullptr && peers[i]->channel != nullptr) prefetch(peers[i]->channel.get(), sizeof(RecordChannel));
  for (size_t i = 0; i < count; i++) sealFor(peers[i], outgoing[i].plaintext, outgoing[i].length);
}

bool Engine::sealFor(Peer* peer, const uint8_t* plaintext, size_t length) {
  if (peer == nullptr || peer->channel == nullptr || !peer->channel->seal(plaintext, length)) {
    counters_.sendsRefused++;
    return false;
  }
  counters_.plaintextsOut++;
  return true;
}

void Engine::close(PeerId id) {
  Peer* peer = peers_.find(id);
  if (peer == nullptr) return;
  if (peer->handshake != nullptr) return fail(*peer, Failure::kLocal);
  peer->channel->sayGoodbye();
  end(*peer, End::kLocal);
}

void Engine::closeAll() {
  std::vector<Peer*> all;
  all.reserve(peers_.size());
  peers_.each([&all](Peer& peer) { all.push_back(&peer); });
  for (Peer* peer : all) {
    if (peer->channel != nullptr) peer->channel->sayGoodbye();
    peers_.remove(*peer);
  }
  handshaking_ = {};
}

void Engine::schedule(Peer& peer, uint64_t nowMs) {
  const uint64_t left = peer.handshake->timeoutMs();
  uint64_t at = peer.giveUpAtMs;
  if (left != Handshake::kNever && nowMs + left < at) at = nowMs + left;
  if (peer.beginAnewAtMs != 0 && peer.beginAnewAtMs < at) at = peer.beginAnewAtMs;
  // One that comes up too early asks again; an entry for every change would let anybody fill the heap.
  if (peer.deadlineMs != 0 && peer.deadlineMs <= at) return;
  peer.deadlineMs = at;
  deadlines_.push(at, peer.id);
}

void Engine::handleTimeouts(uint64_t nowMs) {
  while (!deadlines_.empty() && deadlines_.earliest().atMs <= nowMs) {
    const DeadlineHeap::Entry entry = deadlines_.earliest();
    deadlines_.pop();
    Peer* peer = peers_.find(entry.peer);
    if (peer == nullptr || peer->deadlineMs != entry.atMs) continue;
    peer->deadlineMs = 0;
    if (peer->handshake == nullptr) {
      peer->channel->forgetLastFlight();
      continue;
    }
    if (nowMs >= peer->giveUpAtMs) {
      // A Finished that never opened, under a key that we looked up: that key is not theirs.
      fail(*peer, peer->triedFinished && peer->handshake->offersPsk() ? Failure::kNoSharedKey : Failure::kTimeout);
      continue;
    }
    if (peer->beginAnewAtMs != 0 && nowMs >= peer->beginAnewAtMs) {
      beginAnew(*peer, nowMs);
      continue;
    }
    if (peer->handshake->timeoutMs() > 0) {
      schedule(*peer, nowMs);
      continue;
    }
    counters_.retransmits++;
    follow(*peer, peer->handshake->retransmit(), nowMs);
  }
}

uint64_t Engine::nextTimeoutMs() {
  while (!deadlines_.empty()) {
    const DeadlineHeap::Entry& entry = deadlines_.earliest();
    const Peer* peer = peers_.find(entry.peer);
    if (peer != nullptr && peer->deadlineMs == entry.atMs) return entry.atMs;
    deadlines_.pop();
  }
  return kNever;
}

}  // namespace breakwater
