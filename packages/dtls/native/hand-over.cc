#include "hand-over.h"

#include <utility>

#include "record-secrets.h"
#include "ssl-channel.h"

namespace breakwater {
namespace {

/** More than any handshake of a minute repeats its flight. */
constexpr uint32_t kMostRepeats = 16;

bool hasTakenFinished(RecordChannel& channel, const EarlyRecords& early) {
  bool taken = false;
  Record record;
  RecordReader reader(early.finishedLike().data(), early.finishedLike().size());
  // All of them: it may have come more than once, with another number each time.
  while (reader.next(record)) taken = channel.takeFinished(record) || taken;
  return taken;
}

}  // namespace

std::unique_ptr<Channel> handOver(const SSL* ssl, const WriteWatch& watch, const EarlyRecords& early,
                                  RecordCiphers& ciphers, Transport& transport, const Path& path) {
  RecordSecrets secrets;
  if (!watch.complete() || !deriveSecrets(ssl, secrets)) return nullptr;
  auto channel = std::make_unique<RecordChannel>(ciphers, transport, path, secrets, watch.position(secrets.aead),
                                                 maximumPlaintextOf(ssl));
  LastFlight flight{watch.unencryptedPart(), watch.plainSequence(), {}, kMostRepeats};
  if (!channel->checkFinished(watch.lastEncrypted(), flight.finished) || !hasTakenFinished(*channel, early)) return nullptr;
  // The server speaks last, and in a resumed handshake the client (RFC 5246 §7.3).
  if (SSL_is_server(ssl) != SSL_session_reused(ssl)) channel->keepLastFlight(std::move(flight));
  return channel;
}

}  // namespace breakwater
