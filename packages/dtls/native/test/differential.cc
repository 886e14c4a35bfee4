#include "differential.h"

#include <openssl/pem.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "../big-endian.h"
#include "../pem.h"
#include "../record-secrets.h"
#include "../write-watch.h"
#include "stress-world.h"

namespace breakwater::stress {
namespace {

constexpr const char* kSuites[] = {
    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305",
    "ECDHE-ECDSA-AES128-CCM",        "ECDHE-ECDSA-AES128-CCM8",       "ECDHE-PSK-CHACHA20-POLY1305",
    "PSK-AES128-GCM-SHA256",         "PSK-AES256-GCM-SHA384",         "PSK-AES128-CCM",
    "PSK-AES128-CCM8"};
constexpr uint8_t kKey[16] = {7, 7, 7, 7};
constexpr long kHandshakeMtu = 1200;
/** More than any handshake has, each way. */
constexpr size_t kMostFlights = 20;
/** So that a plaintext of any length is one record. */
constexpr long kLargeMtu = 18'000;

[[noreturn]] void fault(const char* suite, const char* what) {
  std::fprintf(stderr, "%s: %s\n", suite, what);
  std::abort();
}

unsigned int keyOfServer(SSL*, const char*, unsigned char* key, unsigned int) {
  std::memcpy(key, kKey, sizeof kKey);
  return sizeof kKey;
}

unsigned int keyOfClient(SSL*, const char*, char* identity, unsigned int, unsigned char* key, unsigned int) {
  std::memcpy(identity, "stress", 7);
  std::memcpy(key, kKey, sizeof kKey);
  return sizeof kKey;
}

/** One side of a connection that OpenSSL holds, with what it wrote. */
class Side final : private Transport {
 public:
  Side(const char* suite, bool server, const CertificateSource& certificate)
      : context_(SSL_CTX_new(server ? DTLS_server_method() : DTLS_client_method())), bio_(*this) {
    // For CCM_8, which the level of the product has only as an exception.
    SSL_CTX_set_security_level(context_, 0);
    SSL_CTX_set_options(context_, SSL_OP_NO_QUERY_MTU | SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_cipher_list(context_, suite);
    SSL_CTX_set_psk_server_callback(context_, server ? keyOfServer : nullptr);
    SSL_CTX_set_psk_client_callback(context_, server ? nullptr : keyOfClient);
    const CertificateList chain(certificate.certificate);
    EVP_PKEY* key = readPrivateKey(certificate.privateKey);
    SSL_CTX_use_certificate(context_, chain.at(0));
    SSL_CTX_use_PrivateKey(context_, key);
    EVP_PKEY_free(key);
    ssl = SSL_new(context_);
    server ? SSL_set_accept_state(ssl) : SSL_set_connect_state(ssl);
    SSL_set_mtu(ssl, kHandshakeMtu);
    bio_.attach(ssl);
    bio_.face(path_);
  }
  ~Side() {
    SSL_free(ssl);
    SSL_CTX_free(context_);
  }

  bool shake(const std::vector<uint8_t>& datagram) {
    bio_.offer(datagram.data(), datagram.size());
    const int result = SSL_do_handshake(ssl);
    bio_.withdraw();
    return result == 1;
  }
  std::vector<uint8_t> write(const std::vector<uint8_t>& plaintext) {
    sent.clear();
    SSL_set_mtu(ssl, kLargeMtu);
    SSL_write(ssl, plaintext.data(), static_cast<int>(plaintext.size()));
    return sent.empty() ? std::vector<uint8_t>{} : sent.front();
  }
  std::optional<std::vector<uint8_t>> read(const std::vector<uint8_t>& record) {
    bio_.offer(record.data(), record.size());
    std::vector<uint8_t> plaintext(kLongestDatagram);
    const int length = SSL_read(ssl, plaintext.data(), static_cast<int>(plaintext.size()));
    bio_.withdraw();
    if (length <= 0) return std::nullopt;
    plaintext.resize(static_cast<size_t>(length));
    return plaintext;
  }

  std::vector<std::vector<uint8_t>> sent;
  WriteWatch watch;
  SSL* ssl;

 private:
  void send(const Path&, const uint8_t* bytes, size_t length) override {
    watch.see(bytes, length);
    sent.emplace_back(bytes, bytes + length);
  }

  SSL_CTX* context_;
  Path path_{};
  DatagramBio bio_;
};

/** Our record layer in the place of one side. */
class Ours {
 public:
  explicit Ours(const Side& side) : layer_(secretsOf(side), side.watch.position(aeadOfSide(side))) {}
  ~Ours() { layer_.forget(ciphers_); }

  std::vector<uint8_t> write(const std::vector<uint8_t>& plaintext) {
    std::vector<uint8_t> record(layer_.sealedLength(plaintext.size()));
    if (!layer_.seal(ciphers_, kApplicationData, plaintext.data(), plaintext.size(), record.data())) record.clear();
    return record;
  }
  std::optional<std::vector<uint8_t>> read(const std::vector<uint8_t>& bytes) {
    Record record;
    if (!RecordReader(bytes.data(), bytes.size()).next(record) || record.type != kApplicationData) return std::nullopt;
    std::vector<uint8_t> plaintext(record.fragmentLength());
    size_t length = 0;
    if (!layer_.open(ciphers_, record, plaintext.data(), length) || length == 0) return std::nullopt;
    plaintext.resize(length);
    return plaintext;
  }
  bool opensLastOf(const Side& side) {
    uint8_t finished[kLongestDatagram];
    size_t length = 0;
    return layer_.openOwn(ciphers_, side.watch.lastEncrypted(), finished, length) && length == kFinishedBytes && finished[0] == kFinished;
  }
  size_t overhead() const { return layer_.overhead(); }

 private:
  static Aead aeadOfSide(const Side& side) {
    Aead aead{};
    if (!aeadOf(SSL_get_current_cipher(side.ssl), aead)) fault("?", "no AEAD");
    return aead;
  }
  static RecordSecrets secretsOf(const Side& side) {
    RecordSecrets secrets;
    if (!side.watch.complete() || !deriveSecrets(side.ssl, secrets)) fault("?", "no keys");
    return secrets;
  }

  RecordCiphers ciphers_;
  RecordLayer layer_;
};

struct Verdicts {
  uint64_t taken = 0, dropped = 0, sealed = 0;
};

void connect(const char* suite, Side& client, Side& server) {
  bool done[2] = {false, false};
  client.shake({});
  for (size_t flights = 0; flights < kMostFlights && !(done[0] && done[1]); flights++) {
    for (const auto& datagram : std::exchange(client.sent, {})) done[0] = server.shake(datagram) || done[0];
    for (const auto& datagram : std::exchange(server.sent, {})) done[1] = client.shake(datagram) || done[1];
  }
  if (!done[0] || !done[1]) fault(suite, "no handshake");
}

std::vector<uint8_t> plaintextOf(Dice& dice) {
  std::vector<uint8_t> plaintext(1 + dice.below(dice.oneIn(50) ? kLongestFragment : dice.oneIn(5) ? 1400 : 80));
  for (uint8_t& byte : plaintext) byte = static_cast<uint8_t>(dice.next());
  return plaintext;
}

/** Some way in which a record may arrive that still looks like one of a session: see `belongsToSession` of the engine. */
void damage(Dice& dice, std::vector<uint8_t>& record, size_t overhead) {
  if (!dice.oneIn(25)) return;
  if (dice.oneIn(3)) {
    const size_t shortest = kRecordHeaderBytes + overhead;
    record.resize(shortest + dice.below(record.size() - shortest));
    writeBigEndian(record.data() + kLengthAt, record.size() - kRecordHeaderBytes, 2);
  } else {
    // Anything behind version and epoch but the length.
    size_t at = kSequenceAt + dice.below(record.size() - kSequenceAt);
    if (at >= kLengthAt && at < kRecordHeaderBytes) at = kRecordHeaderBytes;
    record[at] ^= static_cast<uint8_t>(1u << dice.below(8));
  }
}

/** What OpenSSL writes: its other side and ours must make the same of it. */
void compareOpening(Dice& dice, const char* suite, Side& writer, Side& reader, size_t count, Verdicts& verdicts) {
  Ours ours(reader);
  if (!ours.opensLastOf(reader)) fault(suite, "our keys do not open what OpenSSL wrote last");
  std::vector<std::vector<uint8_t>> onTheWire;
  for (size_t written = 0; written < count;) {
    for (size_t burst = 1 + dice.below(40); burst > 0; burst--, written++) {
      onTheWire.push_back(writer.write(plaintextOf(dice)));
      if (dice.oneIn(25)) onTheWire.push_back(onTheWire.back());
    }
    for (size_t i = onTheWire.size(); i > 1; i--) std::swap(onTheWire[i - 1], onTheWire[dice.below(i)]);
    // Some stay behind for so long that they fall out of the window.
    const size_t waiting = dice.oneIn(3) ? onTheWire.size() / 8 : 0;
    while (onTheWire.size() > waiting) {
      std::vector<uint8_t> record = std::move(onTheWire.back());
      onTheWire.pop_back();
      damage(dice, record, ours.overhead());
      const auto expected = reader.read(record);
      if (ours.read(record) != expected) fault(suite, "the two say different things of a record");
      (expected ? verdicts.taken : verdicts.dropped)++;
    }
  }
}

/** What we write, behind OpenSSL's last record: it must take all of it, once. */
void compareSealing(Dice& dice, const char* suite, Side& writer, Side& reader, size_t count, Verdicts& verdicts) {
  Ours ours(writer);
  for (size_t i = 0; i < count; i++, verdicts.sealed++) {
    const std::vector<uint8_t> plaintext = plaintextOf(dice);
    const std::vector<uint8_t> record = ours.write(plaintext);
    if (reader.read(record) != plaintext) fault(suite, "OpenSSL does not take a record of ours");
    if (dice.oneIn(20) && reader.read(record)) fault(suite, "OpenSSL took a record of ours twice");
  }
}

/** RFC 5288 §3: no nonce twice under one key. RFC 6347 §4.1: nor a sequence number, of which there are 2^48. */
void checkLimits(const char* suite, const Side& side) {
  RecordSecrets secrets;
  if (!deriveSecrets(side.ssl, secrets)) fault(suite, "no keys");
  const WritePosition last = side.watch.position(secrets.aead);
  RecordCiphers ciphers;
  const size_t explicitBytes = shapeOf(secrets.aead).explicitBytes;
  uint8_t record[100];
  RecordLayer next(secrets, last);
  if (!next.seal(ciphers, kApplicationData, kKey, sizeof kKey, record)) fault(suite, "cannot seal");
  if (sequenceOf(record) != last.sequence + 1) fault(suite, "a sequence number of OpenSSL's is used again");
  if (explicitBytes > 0 && readBigEndian(record + kRecordHeaderBytes, explicitBytes) != last.explicitNonce + 1)
    fault(suite, "the nonce does not go on from OpenSSL's last");
  RecordLayer worn(secrets, {RecordLayer::kLastSequence - 1, UINT64_MAX});
  if (!worn.seal(ciphers, kApplicationData, kKey, sizeof kKey, record)) fault(suite, "refuses the last number");
  if (worn.seal(ciphers, kApplicationData, kKey, sizeof kKey, record)) fault(suite, "seals beyond the last number");
  for (RecordLayer* layer : {&next, &worn}) layer->forget(ciphers);
}

/** Suites without authenticated encryption are none of ours. */
void checkRefusals() {
  SSL_CTX* context = SSL_CTX_new(DTLS_method());
  SSL_CTX_set_security_level(context, 0);
  SSL_CTX_set_cipher_list(context, "ECDHE-ECDSA-AES128-SHA256:PSK-AES128-CBC-SHA");
  const STACK_OF(SSL_CIPHER)* ciphers = SSL_CTX_get_ciphers(context);
  int seen = 0;
  for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); i++) {
    const SSL_CIPHER* cipher = sk_SSL_CIPHER_value(ciphers, i);
    Aead aead;
    if (SSL_CIPHER_is_aead(cipher) == 1) continue;
    seen++;
    if (aeadOf(cipher, aead)) fault(SSL_CIPHER_get_name(cipher), "taken for one with authenticated encryption");
  }
  if (seen < 2) fault("CBC", "OpenSSL has no such suites");
  SSL_CTX_free(context);
}

}  // namespace

int compareRecordLayers(size_t recordsOfSuite, uint64_t seed, const CertificateSource& certificate) {
  Dice dice(seed);
  Verdicts verdicts;
  checkRefusals();
  for (const char* suite : kSuites)
    for (const bool toServer : {true, false}) {
      Side server(suite, true, certificate), client(suite, false, certificate);
      connect(suite, client, server);
      Side& writer = toServer ? client : server;
      Side& reader = toServer ? server : client;
      compareOpening(dice, suite, writer, reader, recordsOfSuite, verdicts);
      // The other way, as the writer of this one has gone on since the handshake.
      checkLimits(suite, reader);
      compareSealing(dice, suite, reader, writer, recordsOfSuite, verdicts);
    }
  std::printf("{\"suites\":%zu,\"recordsTaken\":%llu,\"recordsDropped\":%llu,\"recordsSealed\":%llu}\n", std::size(kSuites),
              static_cast<unsigned long long>(verdicts.taken), static_cast<unsigned long long>(verdicts.dropped),
              static_cast<unsigned long long>(verdicts.sealed));
  return 0;
}

}  // namespace breakwater::stress
