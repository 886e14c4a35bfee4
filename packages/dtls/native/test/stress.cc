#include "stress.h"

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <utility>

#include "stress-world.h"

namespace breakwater::stress {
namespace {

constexpr size_t kAddresses = 48;
constexpr const char* kServerName = "server.example";

uint64_t nowMs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1000 + static_cast<uint64_t>(now.tv_nsec) / 1'000'000;
}

Address addressOf(uint8_t family, uint8_t network, size_t host, uint16_t port) {
  Address address;
  address.family = family;
  address.port = port;
  address.bytes[0] = family == 4 ? 10 : 0x20;
  address.bytes[2] = network;
  address.bytes[3] = static_cast<uint8_t>(host);
  return address;
}

/** A path as the client sees it; a quarter of them IPv6. */
Path clientPath(size_t host) {
  const uint8_t family = host % 4 == 0 ? 6 : 4;
  return {addressOf(family, 1, host, 40000), addressOf(family, 2, 1, 4646), 0};
}

Path reversed(const Path& path) { return {path.remote, path.local, 0}; }

struct Totals {
  uint64_t datagrams = 0, handshakes = 0, resumed = 0, handedOver = 0, sessionsRefused = 0, plaintexts = 0, worlds = 0, refused = 0, credentials = 0;
};

class World {
 public:
  World(Dice& dice, Ledger& ledger) : dice_(dice), server_(ledger), client_(ledger), ledger_(ledger) {}

  /** `inherited`: what the client of the world before could resume, perhaps mutilated since. */
  bool start(const CertificateSource& certificate, std::vector<KeptSession> inherited) {
    const std::vector<uint8_t> key(16, 7);
    const HandshakeTiming timing{20, 200, 400};
    EngineOptions server;
    server.security.server = true;
    server.security.certificate = certificate;
    server.security.preSharedKeys.emplace("stress", key);
    server.mtuBytes = dice_.oneIn(2) ? 1280 : 576;
    server.peersLimit = dice_.oneIn(4) ? 8 : 1000;
    server.timing = timing;
    server.recordOffload = !dice_.oneIn(3);
    server.ticketKeys = ticketKeys();
    EngineOptions client;
    client.sessions = std::move(inherited);
    if (dice_.oneIn(2)) {
      client.security.certificate = certificate;
    } else {
      client.security.pskIdentity = "stress";
      client.security.pskKey = key;
    }
    client.mtuBytes = dice_.oneIn(2) ? 1280 : 400;
    client.timing = timing;
    client.recordOffload = !dice_.oneIn(3);
    hostile_ = !dice_.oneIn(3);
    return server_.start(std::move(server)) && client_.start(std::move(client));
  }

  void step() {
    const uint64_t now = nowMs();
    if (dice_.oneIn(6)) client_.engine.connect(clientPath(dice_.below(kAddresses)), kServerName, now);
    talk(client_);
    talk(server_);
    if (dice_.oneIn(100)) server_.engine.useTicketKeys(ticketKeys());
    if (dice_.oneIn(40)) closeSomebody(dice_.oneIn(2) ? client_ : server_);
    if (hostile_ && dice_.oneIn(8)) throwGarbage(now);
    carry(client_, server_, now);
    carry(server_, client_, now);
    client_.engine.handleTimeouts(now);
    server_.engine.handleTimeouts(now);
  }

  void addTo(Totals& totals) const {
    for (const Party* party : {&client_, &server_}) {
      totals.handshakes += party->counters.handshakesFinished;
      totals.resumed += party->counters.handshakesResumed;
      totals.handedOver += party->counters.handshakesHandedOver;
      totals.sessionsRefused += party->counters.sessionsRefused;
      totals.plaintexts += party->counters.plaintextsIn;
      totals.refused += party->counters.recordsRefused;
    }
    totals.datagrams += carried_;
    totals.worlds++;
  }

  std::vector<KeptSession> legacy() {
    std::vector<KeptSession> sessions = client_.engine.resumableSessions();
    for (KeptSession& session : sessions)
      if (dice_.oneIn(4)) mutilate(dice_, session.state, sessions.front().state);
    return sessions;
  }

 private:
  /** Two of four that there are at all, so that a ticket of before opens now and then. */
  std::vector<std::vector<uint8_t>> ticketKeys() {
    std::vector<std::vector<uint8_t>> keys;
    for (size_t i = 0; i < 2; i++) keys.emplace_back(TicketKeys::kSecretBytes, static_cast<uint8_t>(dice_.below(4)));
    return keys;
  }

  void talk(Party& party) {
    if (party.established.empty()) return;
    // Some twice, and some to a peer that there is not.
    std::vector<std::vector<uint8_t>> plaintexts;
    std::vector<Outgoing> outgoing;
    for (size_t i = dice_.below(4); i > 0; i--) {
      plaintexts.push_back(ledger_.write(dice_.oneIn(10) ? dice_.below(1400) : dice_.below(120)));
      const PeerId peer = party.established[dice_.below(party.established.size())];
      outgoing.push_back({dice_.oneIn(50) ? peer + 1'000'000 : peer, plaintexts.back().data(), plaintexts.back().size()});
    }
    party.engine.send(outgoing.data(), outgoing.size());
  }

  void closeSomebody(Party& party) {
    if (!party.established.empty()) party.engine.close(party.established[dice_.below(party.established.size())]);
  }

  void throwGarbage(uint64_t now) {
    std::vector<uint8_t> bytes(dice_.below(dice_.oneIn(20) ? kLongestDatagram : 200) + 1);
    for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(dice_.next());
    if (bytes.size() > 13 && !dice_.oneIn(4)) {
      bytes[0] = static_cast<uint8_t>(20 + dice_.below(4));
      bytes[1] = 0xfe;
      bytes[2] = 0xfd;
      bytes[3] = 0;
      bytes[4] = static_cast<uint8_t>(dice_.below(2));
      bytes[11] = static_cast<uint8_t>((bytes.size() - 13) >> 8);
      bytes[12] = static_cast<uint8_t>(bytes.size() - 13);
    }
    const Path path = clientPath(dice_.below(kAddresses));
    if (dice_.oneIn(2))
      server_.engine.receive(reversed(path), bytes.data(), bytes.size(), now);
    else
      client_.engine.receive(path, bytes.data(), bytes.size(), now);
  }

  void carry(Party& from, Party& to, uint64_t now) {
    std::vector<Datagram> onTheWire = std::exchange(from.sent, {});
    for (Datagram& datagram : onTheWire) {
      if (hostile_) {
        if (dice_.oneIn(25)) continue;
        if (dice_.oneIn(25)) std::swap(datagram.bytes, last_.bytes);
        if (dice_.oneIn(12)) deliver(to, datagram, now);
        if (dice_.oneIn(6)) {
          Datagram forged = datagram;
          mutilate(dice_, forged.bytes, last_.bytes);
          deliver(to, forged, now);
        }
      }
      deliver(to, datagram, now);
      last_ = std::move(datagram);
    }
  }

  void deliver(Party& to, const Datagram& datagram, uint64_t now) {
    if (datagram.bytes.empty()) return;
    carried_++;
    // Exactly as long as it is, so that a read past its end is seen; the engine may rearrange it.
    const auto bytes = std::make_unique<uint8_t[]>(datagram.bytes.size());
    std::copy(datagram.bytes.begin(), datagram.bytes.end(), bytes.get());
    to.engine.receive(reversed(datagram.path), bytes.get(), datagram.bytes.size(), now);
  }

  Dice& dice_;
  Party server_;
  Party client_;
  Ledger& ledger_;
  Datagram last_;
  uint64_t carried_ = 0;
  bool hostile_ = false;
};

void mutilateText(Dice& dice, std::string& text) {
  std::vector<uint8_t> bytes(text.begin(), text.end());
  mutilate(dice, bytes, {});
  text.assign(bytes.begin(), bytes.end());
}

/** Opens an engine with credentials that are mostly broken; what it leaves behind shows in the leak check. */
bool opensWithBroken(Dice& dice, Ledger& ledger, CertificateSource certificate) {
  std::string* const parts[] = {&certificate.certificate, &certificate.privateKey, &certificate.trustAnchors};
  mutilateText(dice, *parts[dice.below(3)]);
  EngineOptions options;
  options.security.server = dice.oneIn(2);
  options.security.certificate = std::move(certificate);
  CredentialProblem problem;
  Party party(ledger);
  return party.engine.start(std::move(options), problem);
}

}  // namespace

int stressEngines(double seconds, uint64_t seed, const CertificateSource& certificate) {
  Totals totals;
  Dice dice(seed);
  std::vector<KeptSession> inherited;
  const uint64_t end = nowMs() + static_cast<uint64_t>(seconds * 1000);
  while (nowMs() < end) {
    Ledger ledger;
    for (size_t i = 0; i < 10; i++)
      if (!opensWithBroken(dice, ledger, certificate)) totals.credentials++;
    World world(dice, ledger);
    if (!world.start(certificate, std::move(inherited))) return 2;
    for (size_t i = 0; i < 400 && nowMs() < end; i++) world.step();
    world.addTo(totals);
    inherited = world.legacy();
  }
  std::printf("{\"seed\":%llu,\"worlds\":%llu,\"datagrams\":%llu,\"handshakes\":%llu,\"resumed\":%llu,\"handedOver\":%llu,\"sessionsRefused\":%llu,\"plaintexts\":%llu,\"recordsRefused\":%llu,\"credentialsRefused\":%llu}\n",
              static_cast<unsigned long long>(seed), static_cast<unsigned long long>(totals.worlds),
              static_cast<unsigned long long>(totals.datagrams), static_cast<unsigned long long>(totals.handshakes),
              static_cast<unsigned long long>(totals.resumed), static_cast<unsigned long long>(totals.handedOver), static_cast<unsigned long long>(totals.sessionsRefused),
              static_cast<unsigned long long>(totals.plaintexts), static_cast<unsigned long long>(totals.refused),
              static_cast<unsigned long long>(totals.credentials));
  return totals.handshakes > 0 && totals.plaintexts > 0 ? 0 : 3;
}

}  // namespace breakwater::stress
