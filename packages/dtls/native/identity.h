#pragma once

#include <openssl/ssl.h>

#include <string>
#include <vector>

namespace breakwater {

/** Who the peer proved to be: copied out of OpenSSL once, so that nothing of it has to be kept for it. */
struct Identity {
  enum class Kind { kNobody, kCertificate, kPsk, kRawKey };

  Kind kind = Kind::kNobody;
  /** DNS-IDs in lower case. */
  std::vector<std::string> dnsNames;
  /** SRV-IDs in lower case. */
  std::vector<std::string> srvNames;
  /** Common name, UTF-8. */
  std::string subject;
  /** Hexadecimal. */
  std::string spkiSha256;
  std::string pskIdentity;
};

/** Reads it from a finished handshake. `kNobody` must never be let in. */
Identity identityOf(const SSL* ssl);

}  // namespace breakwater
