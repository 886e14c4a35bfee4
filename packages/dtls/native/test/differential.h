#pragma once

#include "../security-context.h"

namespace breakwater::stress {

/**
 * Sends records of OpenSSL through our record layer and ours through OpenSSL's, with every suite that we offer, shuffled,
 * doubled and tampered with; both must say the same of each. Prints one JSON object; 0 when they do.
 */
int compareRecordLayers(size_t recordsOfSuite, uint64_t seed, const CertificateSource& certificate);

}  // namespace breakwater::stress
