#pragma once

#include <openssl/x509.h>

#include <string>
#include <vector>

namespace breakwater {

/** DNS-IDs of the subjectAltName, in lower case. */
std::vector<std::string> dnsNamesOf(const X509* certificate);

/** SRV-IDs (RFC 4985) of the subjectAltName, in lower case: `_dots-signal.server.example`. */
std::vector<std::string> srvNamesOf(const X509* certificate);

/** UTF-8, for people to read. */
std::string commonNameOf(const X509* certificate);

/**
 * Whether the certificate has the SRV-ID of this service at this very host (RFC 9525 §6.5: both without regard to case;
 * a wildcard counts for nothing). `chain` leads up from the certificate: an authority in it that is held to some names is
 * not held to names of this kind (RFC 9525 §7.6), so nothing below such a one is believed.
 */
bool namesService(const X509* certificate, const STACK_OF(X509) * chain, const std::string& service, const std::string& host);

}  // namespace breakwater
