// A bound UDP socket that reads and writes many datagrams per system call and knows by which address each one came.
#pragma once

#include <sys/socket.h>

#include <memory>
#include <string>
#include <vector>

#include "address.h"
#include "counters.h"
#include "path-error.h"
#include "transport.h"

namespace breakwater {

struct UdpSocketOptions {
  Address local;
  /** Bind to this interface (SO_BINDTODEVICE); empty: to none. */
  std::string interface;
  /** Have the kernel tell what is said of paths: see `takeErrors`. */
  bool hearsErrors = false;
};

/** One datagram of the last `receive()`; gone with the next. */
struct ReceivedDatagram {
  uint8_t* bytes;
  size_t length;
  Path path;
};

class UdpSocket final : public Transport {
 public:
  explicit UdpSocket(Counters& counters);
  ~UdpSocket();
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;

  /** Returns 0, or the errno of the step that failed. */
  int open(const UdpSocketOptions& options);
  void close();
  /** Gives the large buffers back, after `close()`; JavaScript may hold the rest for long. */
  void releaseBuffers();
  int descriptor() const { return descriptor_; }
  /** Index of the interface that it is bound to, or 0. */
  uint32_t boundInterface() const { return boundInterface_; }
  /** The bound address with the real port. */
  const Address& local() const { return local_; }

  /** Reads what is there, at most one batch. Returns the number of datagrams; 0 when there is none. */
  size_t receive();
  /**
   * Takes what error the socket holds, and its error queue; both would make it look readable for ever.
   * @returns what they say of paths, no more than one wake-up needs; good until the next call
   */
  const std::vector<PathError>& takeErrors();
  /** False when the datagram is to be dropped. */
  bool datagram(size_t index, ReceivedDatagram& out);

  /** Queues; a full batch leaves at once. */
  void send(const Path& path, const uint8_t* bytes, size_t length) override;
  /** Hands the queue to the kernel. False when it would block: call again when the socket is writable. */
  bool flush();
  bool hasQueued() const { return head_ < queue_.size(); }

  /** The address that the kernel would send from to `remote`; family 0 when there is no way. */
  Address sourceFor(const Address& remote) const;

  static constexpr size_t kBatch = 64;

 private:
  struct Queued {
    Path path;
    size_t offset;
    size_t length;
  };

  int configure(const UdpSocketOptions& options);
  bool mayBeOld(int failure, size_t times) const;
  size_t prepare(size_t first, size_t count);
  void dropSent();

  Counters& counters_;
  int descriptor_ = -1;
  Address local_;
  std::string interface_;
  bool wildcard_ = false;
  uint32_t boundInterface_ = 0;
  bool hearsErrors_ = false;
  std::vector<PathError> errors_;

  /** Not a vector: nobody has to fill a megabyte with zeros for every endpoint. */
  std::unique_ptr<uint8_t[]> received_;
  std::vector<mmsghdr> receiveHeaders_;
  std::vector<iovec> receiveVectors_;
  std::vector<sockaddr_storage> receiveNames_;
  std::vector<uint8_t> receiveControl_;

  std::vector<uint8_t> arena_;
  std::vector<Queued> queue_;
  size_t head_ = 0;
  std::vector<mmsghdr> sendHeaders_;
  std::vector<iovec> sendVectors_;
  std::vector<sockaddr_storage> sendNames_;
  std::vector<uint8_t> sendControl_;
};

}  // namespace breakwater
