#include "identity.h"

#include "certificate-names.h"
#include "raw-key.h"

namespace breakwater {

Identity identityOf(const SSL* ssl) {
  Identity identity;
  const X509* certificate = SSL_get0_peer_certificate(ssl);
  const EVP_PKEY* rawKey = rawKeyOf(ssl);
  if ((certificate != nullptr || rawKey != nullptr) && SSL_get_verify_result(ssl) != X509_V_OK) return identity;
  if (certificate != nullptr) {
    identity.kind = Identity::Kind::kCertificate;
    identity.dnsNames = dnsNamesOf(certificate);
    identity.srvNames = srvNamesOf(certificate);
    identity.subject = commonNameOf(certificate);
    identity.spkiSha256 = spkiSha256Of(certificate);
  } else if (rawKey != nullptr) {
    identity.kind = Identity::Kind::kRawKey;
    identity.spkiSha256 = spkiSha256Of(rawKey);
  } else if (const char* psk = SSL_get_psk_identity(ssl); psk != nullptr && *psk != '\0') {
    identity.kind = Identity::Kind::kPsk;
    identity.pskIdentity = psk;
  }
  return identity;
}

}  // namespace breakwater
