#include "packet-info.h"

#include <netinet/in.h>

#include <cerrno>
#include <cstring>

namespace breakwater {

int enablePacketInfo(int descriptor, uint8_t family) {
  const int on = 1;
  const int result = family == 4 ? setsockopt(descriptor, IPPROTO_IP, IP_PKTINFO, &on, sizeof on)
                                 : setsockopt(descriptor, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof on);
  return result == 0 ? 0 : errno;
}

bool readPacketInfo(const msghdr& message, Address& local, uint32_t& interface) {
  auto* header = const_cast<msghdr*>(&message);
  for (cmsghdr* item = CMSG_FIRSTHDR(header); item != nullptr; item = CMSG_NXTHDR(header, item)) {
    if (item->cmsg_level == IPPROTO_IP && item->cmsg_type == IP_PKTINFO) {
      in_pktinfo info;
      std::memcpy(&info, CMSG_DATA(item), sizeof info);
      local.family = 4;
      std::memcpy(local.bytes.data(), &info.ipi_spec_dst, 4);
      interface = static_cast<uint32_t>(info.ipi_ifindex);
      return true;
    }
    if (item->cmsg_level == IPPROTO_IPV6 && item->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info;
      std::memcpy(&info, CMSG_DATA(item), sizeof info);
      local.family = 6;
      std::memcpy(local.bytes.data(), &info.ipi6_addr, 16);
      interface = info.ipi6_ifindex;
      if (local.isLinkLocal()) local.scope = interface;
      return true;
    }
  }
  return false;
}

void writePacketInfo(msghdr& message, uint8_t* control, const Address& source) {
  std::memset(control, 0, kPacketInfoBytes);
  message.msg_control = control;
  auto* item = reinterpret_cast<cmsghdr*>(control);
  if (source.family == 4) {
    message.msg_controllen = CMSG_SPACE(sizeof(in_pktinfo));
    item->cmsg_level = IPPROTO_IP;
    item->cmsg_type = IP_PKTINFO;
    item->cmsg_len = CMSG_LEN(sizeof(in_pktinfo));
    in_pktinfo info{};
    std::memcpy(&info.ipi_spec_dst, source.bytes.data(), 4);
    std::memcpy(CMSG_DATA(item), &info, sizeof info);
    return;
  }
  message.msg_controllen = CMSG_SPACE(sizeof(in6_pktinfo));
  item->cmsg_level = IPPROTO_IPV6;
  item->cmsg_type = IPV6_PKTINFO;
  item->cmsg_len = CMSG_LEN(sizeof(in6_pktinfo));
  in6_pktinfo info{};
  std::memcpy(&info.ipi6_addr, source.bytes.data(), 16);
  info.ipi6_ifindex = source.scope;
  std::memcpy(CMSG_DATA(item), &info, sizeof info);
}

}  // namespace breakwater
