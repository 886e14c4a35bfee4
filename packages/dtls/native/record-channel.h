#pragma once

#include <memory>
#include <vector>

#include "channel.h"
#include "record-layer.h"
#include "transport.h"

namespace breakwater {

/** The last flight of a handshake, of the side that sent it, for as long as it may be asked for again. */
struct LastFlight {
  /** Records of epoch 0 behind one another. */
  std::vector<uint8_t> unencrypted;
  /** The highest number of an unencrypted record so far. */
  uint64_t plainSequence = 0;
  /** The message that ends it. */
  std::vector<uint8_t> finished;
  /** How often it may leave again. */
  uint32_t repeatsLeft = 0;
};

/** A channel that has keys and sequence numbers of its own, and no SSL object behind it any more. */
class RecordChannel final : public Channel {
 public:
  /** `ciphers`, `transport` and `path` must outlive the channel. */
  RecordChannel(RecordCiphers& ciphers, Transport& transport, const Path& path, const RecordSecrets& secrets,
                const WritePosition& last, size_t maximumPlaintext);
  ~RecordChannel() override { layer_.forget(ciphers_); }
  RecordChannel(const RecordChannel&) = delete;
  RecordChannel& operator=(const RecordChannel&) = delete;

  bool seal(const uint8_t* plaintext, size_t length) override;
  State open(const uint8_t* records, size_t length, PlaintextSink& sink) override;
  void sayGoodbye() override;
  size_t overhead() const override { return layer_.overhead(); }
  size_t maximumPlaintext() const override { return maximumPlaintext_; }
  bool keepsLastFlight() const override { return lastFlight_ != nullptr; }
  void forgetLastFlight() override { lastFlight_.reset(); }

  /** The message of the record that was written last by whoever wrote before; false when that is not Finished. */
  bool checkFinished(const Record& ours, std::vector<uint8_t>& message) const;
  /** A record that the one before has read. False unless it is Finished of the peer; then it counts as taken. */
  bool takeFinished(const Record& theirs);
  void keepLastFlight(LastFlight flight) { lastFlight_ = std::make_unique<LastFlight>(std::move(flight)); }

 private:
  State take(uint8_t type, const uint8_t* message, size_t length, PlaintextSink& sink);
  State takeAlert(const uint8_t* alert, size_t length);
  void takeHandshake(const uint8_t* message, size_t length);
  void repeatLastFlight();
  bool write(uint8_t type, const uint8_t* plaintext, size_t length);
  void alert(uint8_t level, uint8_t description);

  RecordCiphers& ciphers_;
  Transport& transport_;
  const Path& path_;
  RecordLayer layer_;
  std::unique_ptr<LastFlight> lastFlight_;
  uint32_t maximumPlaintext_;
};

}  // namespace breakwater
