// What OpenSSL sees instead of a socket: it reads the one datagram that is being looked at, and each of its writes is one
// datagram. Memory BIOs would lose the borders between datagrams. One BIO serves all sessions of an endpoint.
#pragma once

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <vector>

#include "hello-numbering.h"
#include "transport.h"
#include "write-watch.h"

namespace breakwater {

class DatagramBio {
 public:
  explicit DatagramBio(Transport& transport);
  ~DatagramBio();
  DatagramBio(const DatagramBio&) = delete;
  DatagramBio& operator=(const DatagramBio&) = delete;

  void attach(SSL* ssl);

  /** Directs what OpenSSL writes from here on. All must live until the next call; all but `path` may be null. */
  void face(const Path& path, HelloNumbering* numbering = nullptr, WriteWatch* watch = nullptr) {
    path_ = &path;
    numbering_ = numbering;
    watch_ = watch;
  }
  /** Lays out one datagram to be read once. */
  void offer(const uint8_t* bytes, size_t length);
  /** Takes it back if nobody read it: the bytes belong to the receive buffer. */
  void withdraw() { waiting_ = false; }

 private:
  void send(const uint8_t* datagram, size_t length);

  static int read(BIO* bio, char* out, int capacity);
  static int write(BIO* bio, const char* bytes, int length);
  static long control(BIO* bio, int command, long number, void* pointer);

  Transport& transport_;
  BIO_METHOD* method_;
  BIO* bio_;
  const Path* path_ = nullptr;
  HelloNumbering* numbering_ = nullptr;
  WriteWatch* watch_ = nullptr;
  std::vector<uint8_t> renumbered_;
  const uint8_t* bytes_ = nullptr;
  size_t length_ = 0;
  bool waiting_ = false;
};

}  // namespace breakwater
