#pragma once

#include <openssl/evp.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "random-source.h"

namespace breakwater {

/**
 * RFC 9325 §3.4: keys are changed once a week or so, and a session is resumed for no longer than half as long as its
 * key opens. So a key seals for this long and opens for as long again, and a ticket is good for this long.
 */
constexpr uint64_t kTicketLifetimeMs = 84ull * 3600 * 1000;
/** When new keys could not be had, the old ones serve on until the next attempt. */
constexpr uint64_t kTicketKeyRetryMs = 60ull * 1000;

/**
 * The keys of a server's session tickets (RFC 5077 §4): the first one seals, all of them open. They outlive a reload of
 * credentials; that a ticket is about somebody who would be let in now, is the business of its provenance.
 */
class TicketKeys {
 public:
  static constexpr size_t kSecretBytes = 32;
  static constexpr size_t kNameBytes = 16;
  static constexpr size_t kMost = 16;

  explicit TicketKeys(RandomSource random) : random_(random) {}
  ~TicketKeys();
  TicketKeys(const TicketKeys&) = delete;
  TicketKeys& operator=(const TicketKeys&) = delete;

  /** Takes keys from outside, in place of all that there are; from then on there is no rotation of our own. */
  bool use(const std::vector<std::vector<uint8_t>>& secrets);
  /** Without keys from outside: makes a new one when its time has come, and keeps the one before for opening. */
  void rotate(uint64_t nowMs);

  /** As `SSL_CTX_set_tlsext_ticket_key_evp_cb` wants it: 1 done, 2 opened by a key that seals no more, 0 no such key. */
  int seal(uint8_t* name, uint8_t* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) const;
  int open(const uint8_t* name, const uint8_t* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) const;

 private:
  struct Key {
    std::array<uint8_t, kNameBytes> name;
    std::array<uint8_t, 32> cipher;
    std::array<uint8_t, 32> mac;
  };

  static bool derive(const uint8_t* secret, Key& key);
  static void erase(std::vector<Key>& keys);

  RandomSource random_;
  std::vector<Key> keys_;
  bool given_ = false;
  uint64_t renewAtMs_ = 0;
};

}  // namespace breakwater
