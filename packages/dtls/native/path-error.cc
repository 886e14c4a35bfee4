#include "path-error.h"

#include <linux/errqueue.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#include <cerrno>
#include <cstring>

namespace breakwater {
namespace {

/** An extended error with the address of whoever says so. */
constexpr size_t kControlBytes = 256;

std::optional<PathError::Kind> kindOf(const sock_extended_err& error) {
  using Kind = PathError::Kind;
  switch (error.ee_origin) {
    case SO_EE_ORIGIN_LOCAL:
      return error.ee_errno == EMSGSIZE ? Kind::kTooBig : Kind::kUnreachable;
    case SO_EE_ORIGIN_ICMP:
      if (error.ee_type != ICMP_DEST_UNREACH) return std::nullopt;
      if (error.ee_code == ICMP_FRAG_NEEDED) return Kind::kTooBig;
      return error.ee_code == ICMP_PORT_UNREACH ? Kind::kPortUnreachable : Kind::kUnreachable;
    case SO_EE_ORIGIN_ICMP6:
      if (error.ee_type == ICMP6_PACKET_TOO_BIG) return Kind::kTooBig;
      if (error.ee_type != ICMP6_DST_UNREACH) return std::nullopt;
      return error.ee_code == ICMP6_DST_UNREACH_NOPORT ? Kind::kPortUnreachable : Kind::kUnreachable;
    default:
      return std::nullopt;
  }
}

std::optional<PathError> read(const sock_extended_err& found, const sockaddr_storage& destination) {
  const std::optional<PathError::Kind> kind = kindOf(found);
  if (!kind) return std::nullopt;
  PathError error{*kind, found.ee_origin == SO_EE_ORIGIN_LOCAL, fromSockaddr(destination)};
  if (*kind == PathError::Kind::kTooBig) error.mtu = found.ee_info;
  return error;
}

bool isExtendedError(const cmsghdr& item) {
  return (item.cmsg_level == IPPROTO_IP && item.cmsg_type == IP_RECVERR) ||
         (item.cmsg_level == IPPROTO_IPV6 && item.cmsg_type == IPV6_RECVERR);
}

}  // namespace

const char* nameOf(PathError::Kind kind) {
  switch (kind) {
    case PathError::Kind::kUnreachable:
      return "unreachable";
    case PathError::Kind::kPortUnreachable:
      return "port-unreachable";
    case PathError::Kind::kTooBig:
      break;
  }
  return "too-big";
}

int enableErrorQueue(int descriptor, uint8_t family) {
  const int on = 1;
  const int result = family == 4 ? setsockopt(descriptor, IPPROTO_IP, IP_RECVERR, &on, sizeof on)
                                 : setsockopt(descriptor, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
  return result == 0 ? 0 : errno;
}

bool takeQueuedError(int descriptor, std::optional<PathError>& error) {
  error.reset();
  sockaddr_storage destination{};
  alignas(cmsghdr) uint8_t control[kControlBytes];
  msghdr header{};
  header.msg_name = &destination;
  header.msg_namelen = sizeof destination;
  header.msg_control = control;
  header.msg_controllen = sizeof control;
  // Of the datagram itself nothing is asked: the kernel has matched its addresses and ports to this socket.
  if (recvmsg(descriptor, &header, MSG_ERRQUEUE | MSG_DONTWAIT) < 0) return false;
  for (cmsghdr* item = CMSG_FIRSTHDR(&header); item != nullptr; item = CMSG_NXTHDR(&header, item)) {
    if (!isExtendedError(*item)) continue;
    sock_extended_err found;
    std::memcpy(&found, CMSG_DATA(item), sizeof found);
    error = read(found, destination);
  }
  return true;
}

}  // namespace breakwater
