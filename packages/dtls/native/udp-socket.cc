#include "udp-socket.h"

#include <net/if.h>
#include <netinet/in.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "bound-socket.h"
#include "packet-info.h"

namespace breakwater {
namespace {

/** While the kernel takes nothing, datagrams wait; beyond this number they are dropped, as on a full wire. */
constexpr size_t kLongestQueue = 4096;

/** Entries of the error queue that are thrown away at once: the other work of the loop has to have its turn, too. */
constexpr size_t kLongestErrorQueue = 1024;

/** What the error queue says of paths in one wake-up; the rest would be repetitions. */
constexpr size_t kMostErrors = 64;

/** So often a call is made again that failed by an error which the socket held for an earlier datagram. */
constexpr size_t kMostRepetitions = 3;

/**
 * What says that a datagram was too long does not make the kernel cut others up (RFC 7252 §4.2): no datagram of ours is longer
 * than a path has to carry, unless somebody said that it carries more. IPv4: without DF, a path that carries less cuts them
 * itself. IPv6: routers cut nothing; a kernel that is to tell of Packet Too Big (`hearsErrors`) goes by it, too, and never
 * makes pieces of less than 1280 bytes, which is what a datagram has at most where nothing else is configured.
 */
int choosePathMtu(int descriptor, uint8_t family, bool hearsErrors) {
  const int v4 = IP_PMTUDISC_OMIT;
  const int v6 = hearsErrors ? IPV6_PMTUDISC_WANT : IPV6_PMTUDISC_OMIT;
  const int result = family == 4 ? setsockopt(descriptor, IPPROTO_IP, IP_MTU_DISCOVER, &v4, sizeof v4)
                                 : setsockopt(descriptor, IPPROTO_IPV6, IPV6_MTU_DISCOVER, &v6, sizeof v6);
  return result == 0 ? 0 : errno;
}

}  // namespace

UdpSocket::UdpSocket(Counters& counters)
    : counters_(counters),
      received_(new uint8_t[kBatch * kLongestDatagram]),
      receiveHeaders_(kBatch),
      receiveVectors_(kBatch),
      receiveNames_(kBatch),
      receiveControl_(kBatch * kPacketInfoBytes),
      sendHeaders_(kBatch),
      sendVectors_(kBatch),
      sendNames_(kBatch),
      sendControl_(kBatch * kPacketInfoBytes) {}

UdpSocket::~UdpSocket() { close(); }

int UdpSocket::open(const UdpSocketOptions& options) {
  const int failure = configure(options);
  if (failure != 0) close();
  return failure;
}

int UdpSocket::configure(const UdpSocketOptions& options) {
  const int opened = openBoundSocket(SOCK_DGRAM, options.local, options.interface);
  if (opened < 0) return -opened;
  descriptor_ = opened;
  if (const int failure = enablePacketInfo(descriptor_, options.local.family); failure != 0) return failure;
  hearsErrors_ = options.hearsErrors;
  if (const int failure = choosePathMtu(descriptor_, options.local.family, hearsErrors_); failure != 0) return failure;
  if (hearsErrors_)
    if (const int failure = enableErrorQueue(descriptor_, options.local.family); failure != 0) return failure;
  // A handshake storm arrives faster than one turn of the loop; the kernel caps this at net.core.rmem_max.
  const int bufferBytes = 4 << 20;
  setsockopt(descriptor_, SOL_SOCKET, SO_RCVBUF, &bufferBytes, sizeof bufferBytes);
  sockaddr_storage name{};
  socklen_t length = sizeof name;
  if (getsockname(descriptor_, reinterpret_cast<sockaddr*>(&name), &length) != 0) return errno;
  local_ = fromSockaddr(name);
  wildcard_ = local_.isWildcard();
  interface_ = options.interface;
  boundInterface_ = interface_.empty() ? 0 : if_nametoindex(interface_.c_str());
  return 0;
}

void UdpSocket::close() {
  if (descriptor_ >= 0) ::close(descriptor_);
  descriptor_ = -1;
}

void UdpSocket::releaseBuffers() {
  received_.reset();
  std::vector<uint8_t>().swap(arena_);
  std::vector<Queued>().swap(queue_);
  head_ = 0;
}

size_t UdpSocket::receive() {
  for (size_t i = 0; i < kBatch; i++) {
    receiveVectors_[i] = {&received_[i * kLongestDatagram], kLongestDatagram};
    msghdr& header = receiveHeaders_[i].msg_hdr;
    header = {};
    header.msg_name = &receiveNames_[i];
    header.msg_namelen = sizeof(sockaddr_storage);
    header.msg_iov = &receiveVectors_[i];
    header.msg_iovlen = 1;
    header.msg_control = &receiveControl_[i * kPacketInfoBytes];
    header.msg_controllen = kPacketInfoBytes;
  }
  for (size_t times = 0;; times++) {
    const int count = recvmmsg(descriptor_, receiveHeaders_.data(), kBatch, MSG_DONTWAIT, nullptr);
    if (count >= 0) return static_cast<size_t>(count);
    if (!mayBeOld(errno, times)) return 0;
  }
}

/**
 * What ICMP says of one datagram fails the next call on the socket, whatever that is about: whoever forges such messages must
 * not be able to take datagrams from us by it. The failed call has taken the error; the same again tells which it was.
 */
bool UdpSocket::mayBeOld(int failure, size_t times) const {
  const bool isFull = failure == EAGAIN || failure == EWOULDBLOCK;
  return hearsErrors_ && !isFull && times < kMostRepetitions;
}

const std::vector<PathError>& UdpSocket::takeErrors() {
  errors_.clear();
  counters_.socketErrors++;
  int failure = 0;
  socklen_t length = sizeof failure;
  getsockopt(descriptor_, SOL_SOCKET, SO_ERROR, &failure, &length);
  std::optional<PathError> error;
  for (size_t i = 0; i < kLongestErrorQueue && takeQueuedError(descriptor_, error); i++) {
    if (!error) continue;
    counters_.pathErrors++;
    if (errors_.size() < kMostErrors) errors_.push_back(*error);
  }
  return errors_;
}

bool UdpSocket::datagram(size_t index, ReceivedDatagram& out) {
  const mmsghdr& header = receiveHeaders_[index];
  counters_.datagramsIn++;
  // OpenSSL would read a datagram without a byte as the end of the stream.
  if (header.msg_len == 0) return counters_.datagramsEmpty++, false;
  if ((header.msg_hdr.msg_flags & MSG_TRUNC) != 0) return counters_.datagramsTooLong++, false;
  out.bytes = &received_[index * kLongestDatagram];
  out.length = header.msg_len;
  out.path.remote = fromSockaddr(receiveNames_[index]);
  out.path.local = local_;
  out.path.interface = boundInterface_;
  Address asked;
  uint32_t interface = 0;
  if (readPacketInfo(header.msg_hdr, asked, interface)) {
    out.path.interface = interface;
    if (wildcard_) {
      asked.port = local_.port;
      out.path.local = asked;
    }
  }
  return true;
}

void UdpSocket::send(const Path& path, const uint8_t* bytes, size_t length) {
  if (queue_.size() - head_ >= kLongestQueue) {
    counters_.sendQueueFull++;
    return;
  }
  queue_.push_back({path, arena_.size(), length});
  arena_.insert(arena_.end(), bytes, bytes + length);
  if (queue_.size() - head_ == kBatch) flush();
}

size_t UdpSocket::prepare(size_t first, size_t count) {
  for (size_t i = 0; i < count; i++) {
    const Queued& queued = queue_[first + i];
    sendVectors_[i] = {&arena_[queued.offset], queued.length};
    msghdr& header = sendHeaders_[i].msg_hdr;
    header = {};
    header.msg_name = &sendNames_[i];
    header.msg_namelen = toSockaddr(queued.path.remote, sendNames_[i]);
    header.msg_iov = &sendVectors_[i];
    header.msg_iovlen = 1;
    // A socket bound to one address needs no word about the source.
    if (wildcard_) writePacketInfo(header, &sendControl_[i * kPacketInfoBytes], queued.path.local);
  }
  return count;
}

/** A kernel that takes some but never all must not make the queue grow behind its head. */
void UdpSocket::dropSent() {
  if (head_ == 0) return;
  const size_t gone = queue_[head_].offset;
  arena_.erase(arena_.begin(), arena_.begin() + static_cast<long>(gone));
  queue_.erase(queue_.begin(), queue_.begin() + static_cast<long>(head_));
  for (Queued& queued : queue_) queued.offset -= gone;
  head_ = 0;
}

bool UdpSocket::flush() {
  size_t times = 0;
  while (head_ < queue_.size()) {
    const size_t waiting = queue_.size() - head_;
    const size_t count = prepare(head_, waiting < kBatch ? waiting : kBatch);
    const int sent = sendmmsg(descriptor_, sendHeaders_.data(), count, MSG_DONTWAIT);
    if (sent > 0) {
      times = 0;
      head_ += static_cast<size_t>(sent);
      counters_.datagramsOut += static_cast<uint64_t>(sent);
    } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
      dropSent();
      return false;
    } else if (mayBeOld(errno, times)) {
      times++;
    } else if (errno != EINTR) {
      times = 0;
      // The first datagram of the batch cannot go (no route, too long): it alone is lost.
      counters_.sendErrors++;
      head_++;
    }
  }
  queue_.clear();
  arena_.clear();
  head_ = 0;
  return true;
}

Address UdpSocket::sourceFor(const Address& remote) const {
  if (!wildcard_) return local_;
  Address any;
  any.family = local_.family;
  const int probe = openBoundSocket(SOCK_DGRAM, any, interface_);
  if (probe < 0) return {};
  Address source;
  sockaddr_storage name{};
  socklen_t length = toSockaddr(remote, name);
  if (::connect(probe, reinterpret_cast<sockaddr*>(&name), length) == 0) {
    length = sizeof name;
    if (getsockname(probe, reinterpret_cast<sockaddr*>(&name), &length) == 0) source = fromSockaddr(name);
  }
  ::close(probe);
  source.port = local_.port;
  return source;
}

}  // namespace breakwater
