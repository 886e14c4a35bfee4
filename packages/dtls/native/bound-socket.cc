#include "bound-socket.h"

#include <net/if.h>
#include <unistd.h>

#include <cerrno>

namespace breakwater {
namespace {

int bindTo(int descriptor, const Address& local, const std::string& interface) {
  if (!interface.empty()) {
    if (interface.size() >= IFNAMSIZ) return ENODEV;
    if (setsockopt(descriptor, SOL_SOCKET, SO_BINDTODEVICE, interface.c_str(), interface.size()) != 0) return errno;
  }
  const int on = 1;
  // One socket, one family: an IPv4 peer never shows up as an IPv6 address.
  if (local.family == 6 && setsockopt(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) return errno;
  Address scoped = local;
  if (scoped.isLinkLocal() && scoped.scope == 0 && !interface.empty())
    scoped.scope = if_nametoindex(interface.c_str());
  sockaddr_storage name;
  const socklen_t length = toSockaddr(scoped, name);
  return ::bind(descriptor, reinterpret_cast<sockaddr*>(&name), length) == 0 ? 0 : errno;
}

}  // namespace

int openBoundSocket(int type, const Address& local, const std::string& interface) {
  const int family = local.family == 4 ? AF_INET : AF_INET6;
  const int descriptor = ::socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return -errno;
  const int failure = bindTo(descriptor, local, interface);
  if (failure == 0) return descriptor;
  ::close(descriptor);
  return -failure;
}

int openConnectingSocket(const Address& local, const std::string& interface, const Address& remote) {
  const int descriptor = openBoundSocket(SOCK_STREAM, local, interface);
  if (descriptor < 0) return descriptor;
  sockaddr_storage name;
  const socklen_t length = toSockaddr(remote, name);
  if (::connect(descriptor, reinterpret_cast<sockaddr*>(&name), length) == 0 || errno == EINPROGRESS)
    return descriptor;
  const int failure = errno;
  ::close(descriptor);
  return -failure;
}

}  // namespace breakwater
