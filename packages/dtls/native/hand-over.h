#pragma once

#include <openssl/ssl.h>

#include <memory>

#include "early-records.h"
#include "record-channel.h"
#include "write-watch.h"

namespace breakwater {

/**
 * Makes a channel that goes on where OpenSSL has stopped, right after the handshake. Both ends of it are tried out first:
 * our keys must open the Finished that OpenSSL has written, under its own number and nonce, and the one that it has read.
 * Null when either fails or the suite is none of ours: then the session has to stay with OpenSSL. The caller must free
 * `ssl` without another word through it: nobody else may write under this key.
 */
std::unique_ptr<Channel> handOver(const SSL* ssl, const WriteWatch& watch, const EarlyRecords& early,
                                  RecordCiphers& ciphers, Transport& transport, const Path& path);

}  // namespace breakwater
