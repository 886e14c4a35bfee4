#include "datagram-bio.h"

#include <cstring>

namespace breakwater {

DatagramBio::DatagramBio(Transport& transport)
    : transport_(transport),
      method_(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "breakwater datagram")),
      bio_(nullptr) {
  BIO_meth_set_read(method_, read);
  BIO_meth_set_write(method_, write);
  BIO_meth_set_ctrl(method_, control);
  bio_ = BIO_new(method_);
  BIO_set_data(bio_, this);
  BIO_set_init(bio_, 1);
}

DatagramBio::~DatagramBio() {
  BIO_free(bio_);
  BIO_meth_free(method_);
}

void DatagramBio::attach(SSL* ssl) {
  BIO_up_ref(bio_);
  BIO_up_ref(bio_);
  SSL_set0_rbio(ssl, bio_);
  SSL_set0_wbio(ssl, bio_);
}

void DatagramBio::offer(const uint8_t* bytes, size_t length) {
  bytes_ = bytes;
  length_ = length;
  waiting_ = length > 0;
}

int DatagramBio::read(BIO* bio, char* out, int capacity) {
  auto* self = static_cast<DatagramBio*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (!self->waiting_) {
    BIO_set_retry_read(bio);
    return -1;
  }
  self->waiting_ = false;
  const size_t room = static_cast<size_t>(capacity);
  const size_t taken = self->length_ < room ? self->length_ : room;
  std::memcpy(out, self->bytes_, taken);
  return static_cast<int>(taken);
}

int DatagramBio::write(BIO* bio, const char* bytes, int length) {
  auto* self = static_cast<DatagramBio*>(BIO_get_data(bio));
  BIO_clear_retry_flags(bio);
  if (self->path_ == nullptr || length <= 0) return length;
  const auto* datagram = reinterpret_cast<const uint8_t*>(bytes);
  const size_t size = static_cast<size_t>(length);
  if (self->numbering_ == nullptr) return self->send(datagram, size), length;
  self->renumbered_.assign(datagram, datagram + size);
  self->numbering_->apply(self->renumbered_.data(), size);
  self->send(self->renumbered_.data(), size);
  return length;
}

void DatagramBio::send(const uint8_t* datagram, size_t length) {
  if (watch_ != nullptr) watch_->see(datagram, length);
  transport_.send(*path_, datagram, length);
}

long DatagramBio::control(BIO* bio, int command, long, void*) {
  switch (command) {
    case BIO_CTRL_FLUSH:
    case BIO_CTRL_DUP:
    case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT:
      return 1;
    case BIO_CTRL_PENDING: {
      auto* self = static_cast<DatagramBio*>(BIO_get_data(bio));
      return self->waiting_ ? static_cast<long>(self->length_) : 0;
    }
    default:
      return 0;
  }
}

}  // namespace breakwater
