#include "session-outcome.h"

namespace breakwater {

const char* nameOf(End end) {
  switch (end) {
    case End::kCloseNotify: return "close-notify";
    case End::kAlert: return "alert";
    case End::kReplaced: return "replaced";
    case End::kLocal: return "local";
  }
  return "alert";
}

const char* nameOf(Failure failure) {
  switch (failure) {
    case Failure::kTimeout: return "timeout";
    case Failure::kPeerAlert: return "peer-alert";
    case Failure::kCertificateRefused: return "certificate-refused";
    case Failure::kNameMismatch: return "name-mismatch";
    case Failure::kNoSharedKey: return "no-shared-key";
    case Failure::kProtocol: return "protocol";
    case Failure::kLimit: return "limit";
    case Failure::kLocal: return "local";
  }
  return "protocol";
}

}  // namespace breakwater
