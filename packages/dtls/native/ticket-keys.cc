#include "ticket-keys.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/params.h>

#include <cstring>
#include <utility>

namespace breakwater {
namespace {

bool useMac(EVP_MAC_CTX* context, const std::array<uint8_t, 32>& key) {
  static char digest[] = "SHA256";
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, const_cast<uint8_t*>(key.data()), key.size()),
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0), OSSL_PARAM_construct_end()};
  return EVP_MAC_CTX_set_params(context, parameters) == 1;
}

}  // namespace

TicketKeys::~TicketKeys() { erase(keys_); }

void TicketKeys::erase(std::vector<Key>& keys) {
  if (!keys.empty()) OPENSSL_cleanse(keys.data(), keys.size() * sizeof(Key));
  keys.clear();
}

/** One secret, three keys: the name tells nothing of the other two. */
bool TicketKeys::derive(const uint8_t* secret, Key& key) {
  static constexpr const char* kLabels[] = {"breakwater ticket name", "breakwater ticket cipher", "breakwater ticket mac"};
  uint8_t name[32];
  uint8_t* const parts[] = {name, key.cipher.data(), key.mac.data()};
  for (size_t i = 0; i < 3; i++) {
    unsigned int length = 0;
    const auto* label = reinterpret_cast<const uint8_t*>(kLabels[i]);
    if (HMAC(EVP_sha256(), secret, kSecretBytes, label, std::strlen(kLabels[i]), parts[i], &length) == nullptr) return false;
  }
  std::memcpy(key.name.data(), name, key.name.size());
  return true;
}

bool TicketKeys::use(const std::vector<std::vector<uint8_t>>& secrets) {
  if (secrets.empty() || secrets.size() > kMost) return false;
  std::vector<Key> keys(secrets.size());
  for (size_t i = 0; i < secrets.size(); i++)
    if (secrets[i].size() != kSecretBytes || !derive(secrets[i].data(), keys[i])) return erase(keys), false;
  std::swap(keys, keys_);
  erase(keys);
  given_ = true;
  return true;
}

void TicketKeys::rotate(uint64_t nowMs) {
  if (given_ || nowMs < renewAtMs_) return;
  uint8_t secret[kSecretBytes];
  Key fresh;
  const bool renewed = random_(secret, sizeof secret) && derive(secret, fresh);
  if (renewed) {
    std::vector<Key> keys{fresh};
    if (!keys_.empty()) keys.push_back(keys_.front());
    std::swap(keys, keys_);
    erase(keys);
  }
  OPENSSL_cleanse(secret, sizeof secret);
  OPENSSL_cleanse(&fresh, sizeof fresh);
  renewAtMs_ = nowMs + (renewed ? kTicketLifetimeMs : kTicketKeyRetryMs);
}

int TicketKeys::seal(uint8_t* name, uint8_t* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) const {
  // No ticket is better than one that anybody could make.
  if (keys_.empty() || !random_(iv, 16)) return 0;
  const Key& key = keys_.front();
  std::memcpy(name, key.name.data(), key.name.size());
  const bool ready = EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, key.cipher.data(), iv) == 1;
  return ready && useMac(mac, key.mac) ? 1 : -1;
}

int TicketKeys::open(const uint8_t* name, const uint8_t* iv, EVP_CIPHER_CTX* cipher, EVP_MAC_CTX* mac) const {
  for (size_t i = 0; i < keys_.size(); i++) {
    if (std::memcmp(keys_[i].name.data(), name, kNameBytes) != 0) continue;
    const bool ready = useMac(mac, keys_[i].mac) &&
                       EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), nullptr, keys_[i].cipher.data(), iv) == 1;
    return !ready ? -1 : i == 0 ? 1 : 2;
  }
  return 0;
}

}  // namespace breakwater
