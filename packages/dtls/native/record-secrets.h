#pragma once

#include <openssl/ssl.h>

#include "record-layer.h"

namespace breakwater {

/**
 * Derives the keys of a session whose handshake is finished (RFC 5246 §6.3), as OpenSSL has done for itself. False when
 * its suite is none of ours, or OpenSSL does not derive.
 */
bool deriveSecrets(const SSL* ssl, RecordSecrets& out);

}  // namespace breakwater
